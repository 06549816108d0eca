//! Native policies as OpenFGA models, and back.

use policy::{
    openfga::{export, import, parse_dsl, parse_json, Class, DslOptions, ExportOptions},
    outline::{Outline, OutlineCondition, OutlinePermission, OutlineRelation, OutlineResource},
};

use crate::openfga_models::models;

#[test]
fn what_was_imported_is_exported_and_imported_as_the_same() {
    let mut passed = 0;
    for (name, model) in models() {
        let Ok(outline) = import(&model, None) else {
            continue;
        };
        let exported = export(&outline, ExportOptions::default());
        let exported = exported.unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
        assert_eq!(import(&exported, None).unwrap(), outline, "{name}");
        // Also through the texts of both notations.
        let dsl = exported.to_dsl(DslOptions::default()).unwrap();
        let read = parse_dsl(&dsl).unwrap_or_else(|errors| panic!("{name}: {errors:?}\n{dsl}"));
        assert_eq!(import(&read, None).unwrap(), outline, "{name}\n{dsl}");
        let json = exported.to_json();
        let read = parse_json(&json.to_string()).unwrap();
        assert_eq!(read.to_json(), json, "{name}");
        passed += 1;
    }
    println!("openfga models imported, exported and imported again: {passed} of {passed}");
}

#[test]
fn a_type_that_became_the_actors_comes_back() {
    let dsl =
        "# Files.\nmodel\n  schema 1.1\n\ntype user\n\n# One file.\ntype file\n  relations\n    \
               # Whom it is shown.\n    define reader: [user, user:* with c] or writer\n    define \
               writer: [user]\n\n# When.\ncondition c(n: int) {\n  n > 3\n}\n";
    let outline = import(&parse_dsl(dsl).unwrap(), Some("user")).unwrap();
    let exported = export(&outline, ExportOptions::default()).unwrap();
    assert_eq!(exported.to_dsl(DslOptions::default()).unwrap(), dsl);
}

/// Where conditions and parameters are declared the DSL knows no other words; behind `with` it does.
#[test]
fn words_of_the_dsl_are_names_where_it_reads_them_as_such() {
    let dsl = |used: &str, expression: &str| {
        format!(
            "model\n  schema 1.1\n\ntype user\n\ntype file\n  relations\n    define reader: [user{used}]\n\n\
             condition or(define: int) {{\n  {expression}\n}}\n"
        )
    };
    let text = dsl("", "define > 3");
    let outline = import(&parse_dsl(&text).unwrap(), None).unwrap();
    let exported = export(&outline, ExportOptions::default()).unwrap();
    assert_eq!(exported.to_dsl(DslOptions::default()).unwrap(), text);
    assert!(parse_dsl(&dsl(" with or", "define > 3")).is_err());

    // Behind the word `condition` the DSL reads what follows as parameters.
    let mut outline = outline;
    outline.conditions[0].expression = "define > 3 || condition".into();
    let errors = export(&outline, ExportOptions::default()).unwrap_err();
    assert!(errors[0].message.contains("would not read"), "{errors:?}");
}

fn native() -> Outline {
    let relation = |name: &str, types: &[&str]| OutlineRelation {
        name: name.into(),
        types: types.iter().map(|entry| (*entry).into()).collect(),
        ..OutlineRelation::default()
    };
    let permission = |name: &str, expression: &str| OutlinePermission {
        name: name.into(),
        expression: (!expression.is_empty()).then(|| expression.into()),
        ..OutlinePermission::default()
    };
    Outline {
        name: "plant".into(),
        description: "Who may\ndo what.".into(),
        resources: vec![
            OutlineResource {
                name: "batch".into(),
                relations: vec![
                    relation("parent", &["cell"]),
                    relation("reader", &["actor", "*", "cell->`operator`"]),
                    relation("banned", &[]),
                ],
                permissions: vec![
                    permission("read", "reader + parent->operate - banned & reader"),
                    permission("seal", ""),
                ],
                ..OutlineResource::default()
            },
            OutlineResource {
                name: "cell".into(),
                relations: vec![relation("operator", &["actor"])],
                permissions: vec![permission("operate", "operator")],
                ..OutlineResource::default()
            },
        ],
        ..Outline::default()
    }
}

#[test]
fn a_native_policy_becomes_a_model_once_its_owner_is_written_out() {
    let mut outline = native();
    outline.resources[0].relations[1].types[2] = "cell->operator".into();
    let errors = export(&outline, ExportOptions::default()).unwrap_err();
    assert!(errors[0].message.contains("implicit owner"), "{errors:?}");
    let options = ExportOptions {
        write_owner: true,
        ..ExportOptions::default()
    };
    let model = export(&outline, options).unwrap_or_else(|errors| panic!("{errors:?}"));
    assert_eq!(
        model.to_dsl(DslOptions::default()).unwrap(),
        "# Who may\n# do what.\nmodel\n  schema 1.1\n\ntype actor\n\ntype batch\n  relations\n    define \
         owner: [actor]\n    define parent: [cell]\n    define reader: [actor, actor:*, cell#operator]\n    \
         define banned: [actor]\n    define read: owner or (((reader or operate from parent) but not \
         banned) and reader)\n    define seal: owner\n\ntype cell\n  relations\n    define owner: \
         [actor]\n    define operator: [actor]\n    define operate: owner or operator\n"
    );
}

#[test]
fn what_openfga_cannot_express_is_refused_by_name() {
    let check = |change: &dyn Fn(&mut Outline), class: Class, expected: &str| {
        let mut outline = native();
        outline.without_owner = true;
        outline.resources[0].relations[1].types[2] = "cell->operator".into();
        outline.resources[0].permissions.pop();
        assert!(export(&outline, ExportOptions::default()).is_ok());
        change(&mut outline);
        let errors = export(&outline, ExportOptions::default()).unwrap_err();
        let found = errors
            .iter()
            .any(|error| error.class == class && error.message.contains(expected));
        assert!(found, "{expected}: {errors:?}");
    };
    let refused = |change: &dyn Fn(&mut Outline), expected: &str| {
        check(change, Class::NotExpressible, expected);
    };
    let expression = |text: &'static str| {
        move |outline: &mut Outline| {
            outline.resources[0].permissions[0].expression = Some(text.into());
        }
    };
    refused(
        &expression("reader + parent&->operate"),
        "permission \"read\" of \"batch\": `&->` behind \"parent\" asks for all",
    );
    refused(&expression("reader + self"), "OpenFGA has no `self`");
    refused(&expression("reader + (banned"), "a `)` is missing");
    refused(&expression("reader banned"), "an operator is missing");
    refused(
        &|outline| outline.resources[0].permissions[0].expression = None,
        "permission \"read\" of \"batch\" is never granted",
    );
    refused(
        &|outline| outline.resources[0].relations[0].manages = vec!["reader".into()],
        "relation \"parent\" of \"batch\" manages others",
    );
    refused(
        &|outline| outline.resources[0].relations[0].types = vec!["cell with expiration".into()],
        "tuples do not expire",
    );
    for name in ["define", "a..b", "relations", "in"] {
        refused(
            &|outline| outline.resources[0].relations[2].name = name.into(),
            "cannot be named so in OpenFGA",
        );
    }
    for (kind, expected) in [
        ("clock", "\"clock\""),
        ("list<list<int>>", "\"list<list<int>>\""),
    ] {
        refused(
            &|outline| {
                outline.conditions.push(OutlineCondition {
                    name: "c".into(),
                    parameters: vec![("p".into(), kind.into())],
                    expression: "true".into(),
                    ..OutlineCondition::default()
                });
            },
            expected,
        );
    }
    refused(
        &|outline| {
            outline.conditions.push(OutlineCondition {
                name: "c".into(),
                parameters: vec![("p".into(), "int".into())],
                expression: "p in {1: 2}".into(),
                ..OutlineCondition::default()
            });
        },
        "would not read the expression",
    );
    check(
        &expression("reader + read->operate"),
        Class::TuplesetNotDirect,
        "\"read\"",
    );
    check(&expression("read"), Class::NoEntryPoint, "\"read\"");
}

#[test]
fn deep_and_long_expressions_meet_a_bound() {
    let mut outline = native();
    outline.without_owner = true;
    for text in [
        "(".repeat(100_000),
        "reader + banned - ".repeat(100_000) + "reader",
        "reader + banned & ".repeat(60) + "reader",
    ] {
        outline.resources[0].permissions[0].expression = Some(text);
        assert!(export(&outline, ExportOptions::default()).is_err());
    }
}
