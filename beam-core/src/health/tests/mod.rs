mod names;
mod properties;
mod steps;
mod story;
mod table;
