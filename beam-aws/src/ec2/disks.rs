//! Which of a machine's disks holds the chain's data.
//!
//! The device that the machine's own tag names ([`DATA_DEVICE`](super::tags::DATA_DEVICE)), which a launch writes. A person's machine has no such
//! tag: there it is the only disk beside the root, or, of several, the one at [`DEVICE`].

/// Where the data disk is if nothing says otherwise, and where a volume is attached.
pub const DEVICE: &str = "/dev/sdf";

/// Where images have their root disk. A template does not say which of its disks is the root.
const ROOTS: [&str; 3] = ["/dev/xvda", "/dev/sda1", "/dev/sda"];

/// The data disk's device, of all devices that there are.
pub(super) fn data<'a>(
    devices: impl IntoIterator<Item = &'a str>,
    root: Option<&str>,
    tagged: Option<&str>,
) -> Option<&'a str> {
    let is_root = |device: &str| root.map_or_else(|| ROOTS.contains(&device), |root| root == device);
    let others: Vec<&str> = devices.into_iter().filter(|device| !is_root(device)).collect();
    let find = |wanted: &str| others.iter().copied().find(|device| *device == wanted);
    match (tagged, others.as_slice()) {
        (Some(tagged), _) => find(tagged),
        (None, [only]) => Some(only),
        (None, _) => find(DEVICE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_disk_is_the_tagged_one_or_the_only_one_or_the_one_at_the_usual_place() {
        for (devices, root, tagged, wanted) in [
            (&["/dev/xvda"][..], None, None, None),
            (&["/dev/xvda", "/dev/sdb"], None, None, Some("/dev/sdb")),
            (&["/dev/sda1", "/dev/sdb", "/dev/sdf"], None, None, Some("/dev/sdf")),
            (&["/dev/sda1", "/dev/sdb", "/dev/sdc"], None, None, None),
            (&["/dev/sda1", "/dev/sdb", "/dev/sdc"], None, Some("/dev/sdc"), Some("/dev/sdc")),
            (&["/dev/sda1", "/dev/sdb"], None, Some("/dev/sdc"), None),
            // An image may have its root elsewhere, and says so.
            (&["/dev/sdb", "/dev/sda1"], Some("/dev/sdb"), None, Some("/dev/sda1")),
            (&["/dev/sdb"], Some("/dev/sdb"), Some("/dev/sdb"), None),
            (&[], None, None, None),
        ] {
            assert_eq!(
                data(devices.iter().copied(), root, tagged),
                wanted,
                "{devices:?} {root:?} {tagged:?}"
            );
        }
    }
}
