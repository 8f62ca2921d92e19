//! Whether `[p2p]` can be a node's: one that is started with a wrong peer ends at once.

use super::P2p;

/// A node's id, in hexadecimal digits.
const ID_LEN: usize = 40;

/// All that is wrong with the values.
pub(super) fn mistakes(p2p: &P2p) -> Vec<String> {
    let mut mistakes = Vec::new();
    for peer in p2p.persistent_peers.iter().flatten() {
        if !peer.split_once('@').is_some_and(|(id, address)| is_id(id) && is_address(address)) {
            mistakes.push(format!(
                "p2p.persistent_peers: {peer:?} is no id@host:port, id of {ID_LEN} digits 0-9a-f"
            ));
        }
    }
    for (key, ids) in
        [("unconditional_peer_ids", &p2p.unconditional_peer_ids), ("private_peer_ids", &p2p.private_peer_ids)]
    {
        let wrong = ids.iter().flatten().filter(|id| !is_id(id));
        mistakes.extend(wrong.map(|id| format!("p2p.{key}: {id:?} is no id of {ID_LEN} digits 0-9a-f")));
    }
    if let Some(address) = p2p.external_address.as_ref().filter(|own| !own.is_empty() && !is_address(own)) {
        mistakes.push(format!(
            "p2p.external_address = {address:?}: a host and a port such as \"203.0.113.7:26656\""
        ));
    }
    mistakes
}

fn is_id(text: &str) -> bool {
    text.len() == ID_LEN && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A host that a list of peers can hold, and a port.
fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ',' | '@' | '/' | '"');
    !host.is_empty() && !host.contains(odd) && port.parse::<u16>().is_ok_and(|port| port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "5d5fe607f5c2c15f4c21b7fe233b1c973c7aff7a";

    #[test]
    fn what_a_node_takes_is_taken() {
        let p2p = P2p {
            persistent_peers: Some(vec![format!("{ID}@10.0.0.1:26656"), format!("{ID}@[::1]:1")]),
            unconditional_peer_ids: Some(vec![ID.to_owned()]),
            private_peer_ids: Some(vec![]),
            external_address: Some("sentry.example.org:26656".to_owned()),
            ..P2p::default()
        };
        assert_eq!(mistakes(&p2p), [""; 0]);
        assert_eq!(mistakes(&P2p { external_address: Some(String::new()), ..P2p::default() }), [""; 0]);
    }

    #[test]
    fn each_wrong_value_is_named() {
        for peer in [
            "",
            "10.0.0.1:26656",
            "abc@10.0.0.1:26656",
            &format!("{ID}@10.0.0.1"),
            &format!("{ID}@h:0"),
            &format!("{ID}@h:1,x"),
            &format!("{ID}@tcp://h:1"),
            &format!("{}@h:1", ID.to_uppercase()),
        ] {
            let p2p = P2p { persistent_peers: Some(vec![peer.to_owned()]), ..P2p::default() };
            assert_eq!(mistakes(&p2p).len(), 1, "{peer:?}");
        }
        let p2p = P2p {
            unconditional_peer_ids: Some(vec!["x".to_owned()]),
            private_peer_ids: Some(vec![ID.to_owned(), "y".to_owned()]),
            external_address: Some("203.0.113.7".to_owned()),
            ..P2p::default()
        };
        let told = mistakes(&p2p).join("\n");
        assert!(["unconditional", "\"y\"", "external"].iter().all(|word| told.contains(word)), "{told}");
    }
}
