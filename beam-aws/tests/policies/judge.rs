//! IAM's judgement of a request by policies of a role: allowed if a statement allows it and none denies it, for every thing that the
//! request touches.

use iam_rs::{
    Arn, Context, ContextValue, Decision, IAMPolicy, IAMRequest, PolicyEvaluator, Principal, PrincipalId,
};

/// One call, as IAM sees it: an action on one thing or several, each with what is known of it.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) action: String,
    pub(crate) things: Vec<Thing>,
}

/// Something that a call touches.
#[derive(Clone, Debug)]
pub(crate) struct Thing {
    pub(crate) arn: String,
    pub(crate) context: Vec<(String, ContextValue)>,
}

impl Thing {
    pub(crate) fn new(arn: impl Into<String>) -> Self {
        Self { arn: arn.into(), context: Vec::new() }
    }

    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.context.push((key.to_owned(), ContextValue::String(value.to_owned())));
        self
    }

    pub(crate) fn with_all(mut self, key: &str, values: &[&str]) -> Self {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        self.context.push((key.to_owned(), ContextValue::StringList(values)));
        self
    }

    pub(crate) fn with_flag(mut self, key: &str, value: bool) -> Self {
        self.context.push((key.to_owned(), ContextValue::Boolean(value)));
        self
    }
}

impl Ask {
    pub(crate) fn new(action: &str, things: impl Into<Vec<Thing>>) -> Self {
        Self { action: action.to_owned(), things: things.into() }
    }
}

/// Whether a role with these policies may do it: all of it.
pub(crate) fn allows(policies: &[IAMPolicy], ask: &Ask) -> bool {
    assert!(!ask.things.is_empty(), "{} touches nothing", ask.action);
    let evaluator = PolicyEvaluator::with_policies(policies.to_vec());
    ask.things.iter().all(|thing| {
        let context = thing.context.iter().fold(Context::new(), |mut context, (key, value)| {
            context.insert(key.clone(), value.clone());
            context
        });
        let principal = Principal::Aws(PrincipalId::String("arn:aws:iam::111122223333:role/beam".to_owned()));
        let arn = Arn::parse(&thing.arn).unwrap();
        let request = IAMRequest::new_with_context(principal, ask.action.clone(), arn, context);
        evaluator.evaluate(&request).unwrap().decision == Decision::Allow
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const TABLE: &str = "arn:aws:dynamodb:eu-central-1:111122223333:table/beam";

    fn policy(statements: &Value) -> Vec<IAMPolicy> {
        let text = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        vec![IAMPolicy::from_json(&text).unwrap()]
    }

    fn with(condition: &Value, thing: Thing) -> bool {
        let statement =
            json!([{ "Effect": "Allow", "Action": "a:B", "Resource": "*", "Condition": condition }]);
        allows(&policy(&statement), &Ask::new("a:B", [thing]))
    }

    fn thing() -> Thing {
        Thing::new(TABLE)
    }

    #[test]
    fn what_nobody_allows_is_denied_and_a_denial_wins() {
        let allow = json!({ "Effect": "Allow", "Action": "a:*", "Resource": "*" });
        let deny = json!({ "Effect": "Deny", "Action": "a:Delete*", "Resource": "*" });
        let ask = |action: &str| Ask::new(action, [thing()]);
        let both = policy(&json!([allow, deny]));
        assert!(allows(&both, &ask("a:Read")));
        assert!(!allows(&both, &ask("a:DeleteAll")) && !allows(&both, &ask("b:Read")));
        // By another policy of the same role, too, and in whatever order.
        let (allow, deny) = (policy(&json!([allow])), policy(&json!([deny])));
        assert!(!allows(&[deny.clone(), allow.clone()].concat(), &ask("a:DeleteAll")));
        assert!(!allows(&[allow, deny].concat(), &ask("a:DeleteAll")));
        assert!(!allows(&[], &ask("a:Read")));
    }

    #[test]
    fn a_resource_is_matched_part_by_part() {
        let of = |resource: &str, arn: &str| {
            let statement = json!([{ "Effect": "Allow", "Action": "a:B", "Resource": resource }]);
            allows(&policy(&statement), &Ask::new("a:B", [Thing::new(arn)]))
        };
        assert!(of(TABLE, TABLE));
        assert!(!of(TABLE, &TABLE.replace("beam", "beam2")) && !of(TABLE, &TABLE.replace("1111", "2222")));
        assert!(!of(TABLE, &format!("{TABLE}/index/x")));
        let objects = "arn:aws:s3:::bucket/p/*";
        assert!(of(objects, "arn:aws:s3:::bucket/p/a/b") && !of(objects, "arn:aws:s3:::bucket/q/a"));
        assert!(!of(objects, "arn:aws:s3:::bucket2/p/a"));
    }

    #[test]
    fn every_thing_that_a_call_touches_must_be_allowed() {
        let statement = json!([{ "Effect": "Allow", "Action": "a:B", "Resource": TABLE }]);
        let other = Thing::new(TABLE.replace("beam", "other"));
        assert!(!allows(&policy(&statement), &Ask::new("a:B", [thing(), other])));
    }

    #[test]
    fn the_conditions_that_are_used_are_known() {
        let equals = json!({ "StringEquals": { "k": ["x", "y"], "l": "z" } });
        assert!(with(&equals, thing().with("k", "y").with("l", "z")));
        for other in [
            thing(),
            thing().with("k", "y"),
            thing().with("k", "Y").with("l", "z"),
            thing().with("k", "xy").with("l", "z"),
        ] {
            assert!(!with(&equals, other.clone()), "{other:?}");
        }
        let like = json!({ "StringLike": { "k": "p/*" } });
        assert!(with(&like, thing().with("k", "p/q")) && !with(&like, thing().with("k", "q/p/")));
        assert!(!with(&like, thing()));
        let arn = json!({ "ArnLike": { "k": "arn:aws:ec2:r:1:launch-template/*" } });
        assert!(with(&arn, thing().with("k", "arn:aws:ec2:r:1:launch-template/lt-1")));
        assert!(
            !with(&arn, thing().with("k", "arn:aws:ec2:r:2:launch-template/lt-1")) && !with(&arn, thing())
        );
        let there = json!({ "Null": { "k": "false" } });
        assert!(with(&there, thing().with("k", "anything")) && !with(&there, thing()));
        let flag = json!({ "Bool": { "k": "true" } });
        assert!(with(&flag, thing().with_flag("k", true)));
        assert!(!with(&flag, thing().with_flag("k", false)) && !with(&flag, thing()));
    }

    #[test]
    fn for_all_values_is_true_of_nothing_so_it_stands_beside_null() {
        let all = json!({ "ForAllValues:StringEquals": { "k": ["x", "y"] } });
        assert!(with(&all, thing().with_all("k", &["x", "y"])) && with(&all, thing().with_all("k", &["y"])));
        assert!(!with(&all, thing().with_all("k", &["x", "z"])));
        assert!(with(&all, thing()), "which is how a statement is too wide");
        let and_there = json!({ "ForAllValues:StringEquals": { "k": "x" }, "Null": { "k": "false" } });
        assert!(!with(&and_there, thing()));
    }

    #[test]
    fn a_condition_that_it_does_not_know_is_no_policy() {
        let text = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "a:B", "Resource": "*",
                           "Condition": { "StringResembles": { "k": "x" } } }] });
        IAMPolicy::from_json(&text.to_string()).unwrap_err();
    }
}
