//! OpenFGA's store files and tuples.

use policy::openfga::{
    is_openfga_object_id, parse_dsl, parse_store, parse_tuples, StoreModel, Tuple, TupleFormat,
};
use serde_json::Value;

use crate::{
    openfga_language::{cases, text},
    suite,
};

#[test]
fn store_files_are_read_and_refused_as_openfga_does() {
    let mut passed = 0;
    for case in suite::names("openfga-language/stores") {
        let folder = format!("openfga-language/stores/{case}");
        let there = suite::names(&folder);
        let store = parse_store(&suite::read(&format!("{folder}/store.fga.yaml")).unwrap());
        if !there.iter().any(|name| name == "expected_errors.json") {
            let store = store.unwrap_or_else(|errors| panic!("{case}: {errors:?}"));
            assert_eq!((store.tuples.len(), store.tests.len()), (2, 2), "{case}");
            let [first, second] = store.tests.as_slice() else {
                panic!()
            };
            assert_eq!(first.checks[0].assertions, [("member".into(), true)]);
            assert_eq!(first.list_objects[0].object_type, "organization");
            assert_eq!(second.list_users[0].filters[0].user_type, "user");
            assert_eq!(
                second.list_users[0].assertions,
                [(
                    "member".into(),
                    vec!["user:daniel".into(), "user:jeffery".into()]
                )]
            );
            match store.model {
                StoreModel::Inline { text, .. } => assert!(parse_dsl(&text).is_ok()),
                StoreModel::File(file) => assert_eq!(file, "./model.fga"),
            }
            passed += 1;
            continue;
        }
        let errors = store.unwrap_err();
        let expected = suite::read(&format!("{folder}/expected_errors.json")).unwrap();
        let expected: Value = serde_json::from_str(&expected).unwrap();
        let expected = expected.as_array().unwrap();
        assert_eq!(errors.len(), expected.len(), "{case}: {errors:?}");
        for expected in expected {
            let named = expected["params"]["additionalProperty"].as_str();
            let named = format!("{:?}", named.unwrap_or("model"));
            let names = |message: &str| message.replace('`', "\"").contains(&named);
            assert!(
                errors.iter().any(|error| names(&error.message)),
                "{case}: {named} is missing in {errors:?}"
            );
        }
        passed += 1;
    }
    println!("openfga-language stores: {passed} of {passed}");
}

#[test]
fn ids_are_accepted_and_refused_as_openfga_does() {
    let file = "object-id-validation-cases";
    let mut passed = 0;
    for case in cases(&format!("{file}.yaml")) {
        let (id, valid) = (text(&case, "object_id"), &case["valid"]);
        assert_eq!(Value::Bool(is_openfga_object_id(id)), *valid, "{id:?}");
        passed += 1;
    }
    println!("openfga-language {file}: {passed} of {passed}");
}

#[test]
fn all_that_is_wrong_with_a_store_is_said_with_its_place() {
    let store = "model: |\n  model\ntuples:\n- user: anne\n  relation: r\n  object: d:1\n  \
                 conditon: {}\ntests:\n- check:\n  - user: u:1\n    users: [u:2]\n    object: d:1\n    \
                 assertions: {r: yes}\n- list_users:\n  - object: d:1\n- tuples: 3\n";
    let errors = parse_store(store).unwrap_err();
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        errors,
        [
            "line 4, column 3: \"anne\" is no user; write type:id",
            "line 7, column 3: the tuple has no field \"conditon\"; did you mean \"condition\"?",
            "line 10, column 5: both \"user\" and \"users\" stand here; remove one",
            "line 13, column 21: \"yes\" stands here; write true or false",
            "line 15, column 5: nothing is asserted; add `assertions`",
            "line 15, column 5: the question asks for no users; add `user_filter`",
            "line 16, column 11: the list of tuples is 3; write a list",
        ]
    );
}

const CSV: &str = "user_type,user_id,user_relation,relation,object_type,object_id,condition_name,\
                   condition_context\r\nuser,anne,,viewer,document,1,,\ngroup,eng,member,viewer,document,\
                   1,office,\"{\"\"zone\"\": \"\"ward\"\", \"\"n\"\": 5}\"\nuser,*,,viewer,document,2,x,\n";

const YAML: &str = "- user: user:anne\n  relation: viewer\n  object: document:1\n- user: group:eng#member\n  \
                    relation: viewer\n  object: document:1\n  condition:\n    name: office\n    context:\n      \
                    zone: ward\n      n: 5\n- {user: 'user:*', relation: viewer, object: document:2, condition: \
                    {name: x}}\n";

#[test]
fn tuples_are_the_same_in_all_formats_and_in_the_native_notation() {
    let from_yaml = parse_tuples(YAML, TupleFormat::Yaml).unwrap();
    let json = policy::openfga::yaml_to_json(YAML).unwrap().to_string();
    assert_eq!(parse_tuples(&json, TupleFormat::Json).unwrap(), from_yaml);
    assert_eq!(parse_tuples(CSV, TupleFormat::Csv).unwrap(), from_yaml);
    let native: Vec<String> = from_yaml
        .iter()
        .map(|tuple| tuple.to_native(None).unwrap())
        .collect();
    assert_eq!(
        native,
        [
            "document:1#viewer@user:anne",
            r#"document:1#viewer@group:eng#member with office {"n":5,"zone":"ward"}"#,
            "document:2#viewer@user:* with x",
        ]
    );
    for (native, tuple) in native.iter().zip(&from_yaml) {
        assert_eq!(Tuple::from_native(native, None).unwrap(), *tuple);
    }
}

fn tuple(user: &str, relation: &str, object: &str) -> Tuple {
    Tuple {
        user: user.into(),
        relation: relation.into(),
        object: object.into(),
        condition: None,
    }
}

#[test]
fn users_can_be_actors() {
    for (user, expected) in [
        ("user:did:key:z6Mk", "f:1#r@did:key:z6Mk"),
        ("user:*", "f:1#r@*"),
        ("group:*", "f:1#r@group:*"),
        ("f:did:x@y", "f:1#r@f:did:x@y"),
    ] {
        let tuple = tuple(user, "r", "f:1");
        let native = tuple.to_native(Some("user")).unwrap();
        assert_eq!(native, expected);
        assert_eq!(Tuple::from_native(&native, Some("user")).unwrap(), tuple);
    }
    for user in ["user:anne", "user:did:x#r", "user:did:a@b"] {
        let error = tuple(user, "r", "f:1").to_native(Some("user")).unwrap_err();
        assert!(error.message.contains("is no actor"), "{error}");
    }
    assert!(Tuple::from_native("f:1#r@*", None).is_err());
}

#[test]
fn tuples_that_we_do_not_have_are_refused_by_name() {
    for (user, relation, object, expected) in [
        ("anne", "r", "f:1", "\"anne\" is no user"),
        ("u:ä", "r", "f:1", "\"ä\" of \"u\" is no object id"),
        ("u:a b", "r", "f:1", "is no object id"),
        ("u:1", "r", "f:*", "\"*\" of \"f\" is no object id"),
        ("u:1", "r s", "f:1", "relation \"r s\" cannot be named so"),
        ("u:1#", "r", "f:1", "relation \"\" cannot be named so"),
        ("u:1", "r", "1f:1", "type \"1f\" cannot be named so"),
        ("did:1", "r", "f:1", "would read as actors"),
    ] {
        let error = tuple(user, relation, object).to_native(None).unwrap_err();
        assert!(error.message.contains(expected), "{error}");
    }
    for (native, expected) in [
        ("f:1#r", "is no relationship"),
        ("f1#r@u:1", "is no object"),
        ("f:1#r@u:1 with expiration 2027-01-01T00:00:00Z", "expires"),
        (
            "f:1#r@u:1 with c {\"a\":1} and expiration 2027-01-01T00:00:00Z",
            "expires",
        ),
        (
            "f:1#r@u:1 with c and expiration 2027-01-01T00:00:00Z",
            "expires",
        ),
        ("f:1#r@u:1 with c {", "is no context"),
        (
            "f:1#r@u:1 with c {} x",
            "does not say under which condition",
        ),
    ] {
        let error = Tuple::from_native(native, None).unwrap_err();
        assert!(error.message.contains(expected), "{native}: {error}");
    }
}

#[test]
fn tables_that_are_none_are_refused_with_their_line() {
    let header = "user_type,user_id,relation,object_type,object_id";
    for (csv, expected) in [
        ("", "line 1, column 1: the file is empty"),
        (
            "user_type\n",
            "line 1, column 1: the column \"user_id\" is missing",
        ),
        (&format!("{header},x\n"), "the column \"x\" is unknown"),
        (
            &format!("{header}\n\nu,1,r,f\n"),
            "line 3, column 1: 5 columns are needed, 4 found",
        ),
        (
            &format!("{header}\nu,,r,f,1\n"),
            "line 2, column 1: a field is empty",
        ),
        (
            &format!("{header}\nu,\"1,r,f,1\n"),
            "line 2, column 1: the quotes",
        ),
    ] {
        let errors = parse_tuples(csv, TupleFormat::Csv).unwrap_err();
        let first = errors.first().unwrap().to_string();
        assert!(first.contains(expected), "{first}");
    }
}
