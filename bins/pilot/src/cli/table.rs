//! Lines whose columns stand below one another.

/// The rows, a line each, every column as wide as its widest cell. All rows have as many cells as the first.
pub(super) fn aligned(rows: &[Vec<String>]) -> String {
    let mut out = String::new();
    let widths = widths(rows);
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        out.push_str(cells.collect::<Vec<_>>().join(GAP).trim_end());
        out.push('\n');
    }
    out
}

/// How many characters the longest line of [`aligned`] may have.
pub(super) fn width(rows: &[Vec<String>]) -> usize {
    let widths = widths(rows);
    widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1)
}

const GAP: &str = "  ";

fn widths(rows: &[Vec<String>]) -> Vec<usize> {
    let columns = rows.first().map_or(0, Vec::len);
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    (0..columns).map(|column| width(column).unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["NAME", "N"], ["é-long-name", "1"], ["b", ""]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(aligned(&rows), "NAME         N\né-long-name  1\nb\n");
        assert_eq!(width(&rows), 14);
        assert_eq!((aligned(&[]).as_str(), width(&[])), ("", 0));
    }
}
