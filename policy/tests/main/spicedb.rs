//! SpiceDB's schemas, relationships and validation files: what they become, what is refused, and
//! the published suites.

use std::collections::BTreeSet;

use policy::outline::Outline;
use policy::spicedb::{
    export, import, ErrorClass, ExportOptions, ImportOptions, Relationship, ValidationFile, Verdict,
};
use policy::Policy;

use crate::mutate::mutate;
use crate::random::{rounds, seed, Random};
use crate::suite;

const PLAIN: ImportOptions<'_> = ImportOptions {
    name: "test",
    actor: None,
};

fn outline(schema: &str) -> Outline {
    import(schema, &PLAIN).unwrap_or_else(|error| panic!("{error}\n{schema}"))
}

/// What stands under `resources` and `conditions`, for comparison.
fn check(schema: &str, expected: &str) {
    let yaml = outline(schema).to_yaml();
    let yaml = yaml.strip_prefix("name: test\n").unwrap();
    let yaml = yaml.replace("implicit_owner: false\n", "");
    assert_eq!(yaml.trim(), expected.trim(), "{schema}");
}

#[test]
fn schemas_become_policies() {
    check(
        "definition user {}\n\
         definition document {\n\
           relation viewer: user | user:* | group#member with a/cav and expiration | user#...  with expiration\n\
           permission view = viewer + nil\n\
           permission nobody = viewer & nil\n\
         }\n\
         definition group { relation member: user }\n\
         caveat a/cav(a map<list<int>>, b string) { a.x == [1] && b != \"}\" }\n"
            .replace("definition user", "use expiration\ndefinition user")
            .as_str(),
        "conditions:\n- name: \"a/cav\"\n  parameters:\n    a: map<list<int>>\n    b: string\n  expr: \"a.x == [1] && b != \\\"}\\\"\"\n\
         resources:\n- name: user\n- name: document\n  relations:\n  - name: viewer\n    types:\n    - user\n    - \"user:*\"\n    - group->member with a/cav and expiration\n    - user with expiration\n  \
         permissions:\n  - name: view\n    expr: viewer\n  - name: nobody\n\
         - name: group\n  relations:\n  - name: member\n    types:\n    - user"
            .replace("\"a/cav\"", "a/cav")
            .as_str(),
    );
    check(
        "use self\nuse typechecking\n\
         definition folder {\n\
           relation parent: folder\n\
           relation a: folder\n\
           permission p: folder = a + parent->p & parent.all(p) - self - parent.any(a)\n\
         }",
        "resources:\n- name: folder\n  relations:\n  - name: parent\n    types:\n    - folder\n  - name: a\n    types:\n    - folder\n  \
         permissions:\n  - name: p\n    expr: \"((a + parent->p) & parent&->p) - self - parent->a\"",
    );
}

#[test]
fn comments_become_documentation() {
    check(
        "// The whole.\n\n/** A user. */\ndefinition user {} // trailing\n\n\
         /*\n * A document,\n *   indented.\n */\n\
         definition document { // a paper\n\
           // who\n// reads\n relation viewer: user // or more\n\
           /* all */ permission view = viewer + // one\n viewer /* two */\n\
           // the end\n}\n// of the file\n",
        "description: \"The whole.\\nof the file\"\nresources:\n- name: user\n  doc: \"A user.\\ntrailing\"\n\
         - name: document\n  doc: \"A document,\\n  indented.\\na paper\\nthe end\"\n  relations:\n  - name: viewer\n    doc: \"who\\nreads\\nor more\"\n    types:\n    - user\n  \
         permissions:\n  - name: view\n    doc: \"all\\none\\ntwo\"\n    expr: viewer + viewer",
    );
}

#[test]
fn partials_are_put_in_their_places() {
    check(
        "use partial\n\
         partial reads {\n...writes\n relation reader: user\n permission read = reader + write }\n\
         partial writes { relation writer: user\n permission write = writer }\n\
         definition user {}\n\
         definition document { relation banned: user\n ...reads\n permission see = read - banned }",
        "resources:\n- name: user\n- name: document\n  relations:\n  - name: banned\n    types:\n    - user\n  - name: writer\n    types:\n    - user\n  - name: reader\n    types:\n    - user\n  \
         permissions:\n  - name: write\n    expr: writer\n  - name: read\n    expr: reader + write\n  - name: see\n    expr: read - banned",
    );
}

#[test]
fn a_definition_may_be_the_actors() {
    let schema = "definition user {}\ndefinition document {\n relation viewer: user | user:*\n relation owner: user | document\n permission view = viewer + owner->view\n}";
    let options = ImportOptions {
        name: "test",
        actor: Some("user"),
    };
    let outline = import(schema, &options).unwrap();
    assert_eq!(outline.actor.as_deref(), Some("user"));
    assert_eq!(outline.resources.len(), 1);
    assert_eq!(outline.resources[0].relations[0].types, ["user", "*"]);
    assert_eq!(outline.resources[0].permissions.len(), 1);
    let written = export(&outline, &ExportOptions::default()).unwrap();
    assert_eq!(import(&written, &options).unwrap(), outline);
    for (actor, class) in [
        ("document", ErrorClass::Inexpressible),
        ("usr", ErrorClass::UnknownType),
    ] {
        let actor = Some(actor);
        let failure = import(schema, &ImportOptions { name: "", actor }).unwrap_err();
        assert_eq!(failure.class, class);
    }
}

#[test]
fn an_arrow_ends_where_its_target_is_missing() {
    let outline = outline(
        "definition user {}\ndefinition client { relation token: user\n permission use_it = token }\n\
         definition actor { relation owner: client | user\n permission use_it = owner->use_it }",
    );
    let permission = &outline.resources[2].permissions[0];
    assert_eq!(permission.expression.as_deref(), Some("owner->use_it?"));
    assert_eq!(
        outline.actor.as_deref(),
        Some("did_actor"),
        "`actor` names a resource"
    );
    let written = export(&outline, &ExportOptions::default()).unwrap();
    assert_eq!(self::outline(&written), outline);
}

#[test]
fn what_is_no_schema_is_refused_with_class_place_and_remedy() {
    use ErrorClass::*;
    let user = |rest: &str| format!("definition user {{}}\n{rest}");
    let document = |rest: &str| {
        user(&format!(
            "definition document {{\n  relation viewer: user\n  {rest}\n}}"
        ))
    };
    let cases: Vec<(String, ErrorClass, &str)> = vec![
        ("definition".into(), Syntax, "line 1, column 11: the name of a definition belongs here, not the end of the schema"),
        ("definition user".into(), Syntax, "`{` belongs here"),
        ("definition user {".into(), Syntax, "a `relation`, a `permission` or `}` belongs here"),
        ("definition nil {}".into(), Syntax, "line 1, column 12: `nil` is a word of the language"),
        ("definition 9user {}".into(), Syntax, "is no name"),
        ("definition üser {}".into(), Syntax, "is no name"),
        ("hello".into(), Syntax, "line 1, column 1: a `definition`, `caveat`, `partial` or `use` belongs here"),
        ("definition user {} $".into(), Syntax, "line 1, column 20: '$' has no meaning"),
        ("/* open".into(), Syntax, "line 1, column 1: this comment does not end"),
        ("use magic\n".into(), Flag, "line 1, column 5: there is no feature \"magic\""),
        ("use expirations\n".into(), Flag, "did you mean \"expiration\"?"),
        ("definition user {}\nuse self\n".into(), Flag, "line 2, column 1: `use` stands before"),
        ("import \"./x.zed\"".into(), Inexpressible, "zed schema compile"),
        ("@deprecated\ndefinition user {}".into(), Inexpressible, "decorators"),
        (user("definition user {}"), Doubled, "line 2, column 12: \"user\" already names a definition or caveat"),
        (user("caveat user(a int) { a == 1 }"), Doubled, "already names"),
        (user("caveat cav() { true }"), Syntax, "the name of a parameter belongs here"),
        (user("caveat cav(a integer) { true }"), UnknownType, "no type \"integer\""),
        (user("caveat cav(a list) { true }"), Syntax, "such as `<string>`"),
        (user("caveat cav(a int, a int) { true }"), Doubled, "parameter \"a\" stands twice"),
        (user("caveat cav(a int) { }"), Syntax, "has no expression"),
        (user("caveat cav(a int) { a == 1"), Syntax, "does not end"),
        (user("caveat expiration(a int) { a == 1 }"), Inexpressible, "rename the caveat"),
        ("definition did {}".into(), Inexpressible, "no resource may be named `did`"),
        (document("relation viewer: user"), Doubled, "line 4, column 12: \"viewer\" already names a relation or permission"),
        (document("permission viewer = nil"), Doubled, "already names"),
        (document("relation a: usr"), UnknownType, "line 4, column 15: there is no definition \"usr\"; did you mean \"user\"?"),
        (document("relation a: user#vewer"), UnknownRelation, "\"user\" defines no relation or permission \"vewer\""),
        (document("relation a: document#vewer"), UnknownRelation, "did you mean \"viewer\"?"),
        (document("relation a: user with cav"), UnknownCaveat, "line 4, column 25: there is no caveat \"cav\""),
        (document("relation a: user with expiration"), UnknownCaveat, "write `use expiration`"),
        (document("relation a: user with cav and expiration"), Flag, "needs `use expiration`"),
        (document("relation a: user | user"), Doubled, "line 4, column 22: this type is allowed already"),
        (document("relation a: user | user#..."), Doubled, "allowed already"),
        (document("relation a: user\n  | document"), Syntax, "put `|` at the end of the line before"),
        (document("relation a: user relation b: user"), Syntax, "the end of the line, belongs here"),
        (document("relation a: @deprecated user"), Inexpressible, "decorators"),
        (document("relation a: user:b"), Syntax, "`*` belongs here"),
        (document("relation a user"), Syntax, "`:` belongs here"),
        (document("permission a = vewer"), UnknownRelation, "line 4, column 18: \"document\" defines no relation or permission \"vewer\"; did you mean \"viewer\"?"),
        (document("permission a = self"), UnknownRelation, "write `use self`"),
        (document("permission a = viewer->b"), UnknownRelation, "line 4, column 26: no type that \"viewer\" allows defines a relation or permission \"b\""),
        (document("permission a = viewer\n  permission b = a->viewer"), ArrowOverPermission, "line 5, column 18: \"a\" is a permission"),
        (document("relation w: user:* | document\n  permission a = w->viewer"), ArrowOverWildcard, "line 5, column 18: \"w\" leads to the wildcard of \"document#w\""),
        (document("permission a: usr = viewer"), UnknownType, "there is no definition \"usr\""),
        (document("permission a = viewer\n + viewer"), Syntax, "put the operator at the end of the line before"),
        (document("permission a viewer"), Syntax, "`=` belongs here"),
        (document("...x"), Partial, "there is no partial \"x\""),
        (document("relation w: user:*\n}\ndefinition group {\n  relation g: document#w"), WildcardInUserset, "\"document#w\" leads to the wildcard"),
        ("partial a { ...b }\npartial b { ...a }\ndefinition d { ...a }".into(), Partial, "contains itself"),
        ("partial a {}\npartial a {}".into(), Doubled, "written twice"),
        ("x".repeat(1024 * 1024 + 1), TooLarge, "longer than"),
    ];
    for (text, class, expected) in cases {
        let failure = import(&text, &PLAIN).expect_err(&text);
        assert_eq!(failure.class, class, "{text}\n{failure}");
        assert!(
            failure.to_string().contains(expected),
            "\n{text}\ngave     {failure}\nexpected {expected}"
        );
    }
}

#[test]
fn hostile_schemas_meet_a_bound() {
    let head = "definition user {}\n";
    let many = |part: &str, times| part.repeat(times);
    let mut doubling = String::from("partial p0 {}\n");
    for level in 1..40 {
        let below = level - 1;
        doubling += &format!("partial p{level} {{ ...p{below}\n...p{below} }}\n");
    }
    doubling += "definition d { ...p39 }";
    let numbered = |part: &str| -> String {
        (0..300)
            .map(|at| part.replace('N', &at.to_string()))
            .collect()
    };
    for text in [
        doubling,
        format!("{head}{}", numbered("definition dN {}\n")),
        format!("{head}{}", numbered("caveat cN(a int) { a == N }\n")),
        format!(
            "{head}definition d {{\n{}}}",
            numbered("relation rN: user\n")
        ),
        format!(
            "{head}definition d {{\n{}}}",
            numbered("permission pN = nil\n")
        ),
        format!("{head}caveat c({}a int) {{ a }}", numbered("aN int, ")),
        format!("{head}caveat c(a {}int) {{ a }}", many("list<", 1000)),
        format!(
            "{head}definition d {{ relation r: {}user }}",
            many("user | ", 1000)
        ),
        format!("{head}caveat c(a int) {{ {} }}", many("a + ", 5000)),
        format!("// {}\n{head}", many("long ", 2000)),
        format!("{head}definition {} {{}}", many("abc/", 100) + "abc"),
    ] {
        let failure = import(&text, &PLAIN).unwrap_err();
        assert_eq!(failure.class, ErrorClass::TooLarge, "{failure}");
    }
}

#[test]
fn what_spicedb_cannot_say_is_refused_on_export() {
    let base = "definition user {}\ndefinition group { relation member: user }\n\
        definition document {\n relation viewer: user\n relation parent: document\n permission view = viewer\n}\n\
        caveat cav(a int) { a == 1 }";
    let change = |change: &dyn Fn(&mut Outline)| {
        let mut outline = outline(base);
        change(&mut outline);
        export(&outline, &ExportOptions::default())
    };
    assert!(change(&|_| {}).is_ok());
    type Edit = (&'static str, Box<dyn Fn(&mut Outline)>);
    let edits: Vec<Edit> = vec![
        (
            "the policy: SpiceDB knows no implicit owner",
            Box::new(|o| o.without_owner = false),
        ),
        (
            "resource \"Document\": SpiceDB refuses this name",
            Box::new(|o| o.resources[2].name = "Document".into()),
        ),
        (
            "relation \"v\" of resource \"document\": SpiceDB refuses this name",
            Box::new(|o| o.resources[2].relations[0].name = "v".into()),
        ),
        (
            "permission \"can-view\"",
            Box::new(|o| o.resources[2].permissions[0].name = "can-view".into()),
        ),
        (
            "remove `manages`",
            Box::new(|o| o.resources[2].relations[0].manages = vec!["parent".into()]),
        ),
        (
            "either types or an expression",
            Box::new(|o| o.resources[2].relations[0].expression = Some("viewer + parent".into())),
        ),
        (
            "condition \"cav\": parameter \"a\" is the time",
            Box::new(|o| o.conditions[0].parameters[0].1 = "clock".into()),
        ),
        (
            "at least one parameter",
            Box::new(|o| o.conditions[0].parameters.clear()),
        ),
        (
            "refuses parameter \"b\"",
            Box::new(|o| o.conditions[0].parameters[0].0 = "b".into()),
        ),
        (
            "does not end where",
            Box::new(|o| {
                o.conditions[0].expression =
                    "a } definition evil {}\ncaveat other(a int) { a".into()
            }),
        ),
        (
            "has two conditions",
            Box::new(|o| o.resources[2].relations[0].types = vec!["user with cav and cav".into()]),
        ),
        (
            "has no form",
            Box::new(|o| {
                o.resources[2].relations[0].types = vec!["user\n relation evil: user".into()]
            }),
        ),
        (
            "in permission \"view\"",
            Box::new(|o| {
                o.resources[2].permissions[0].expression = Some("`a\n relation evil: user`".into())
            }),
        ),
        (
            "cannot be read: an operand is missing",
            Box::new(|o| o.resources[2].permissions[0].expression = Some("viewer +".into())),
        ),
        (
            "would refuse it: \"document\" defines no relation or permission \"vewer\"",
            Box::new(|o| o.resources[2].permissions[0].expression = Some("vewer".into())),
        ),
        (
            "would refuse it: \"parent\" is a permission",
            Box::new(|o| {
                o.resources[2].relations[1].types.clear();
                o.resources[2].relations[1].expression = Some("viewer".into());
                o.resources[2].permissions[0].expression = Some("parent->view".into());
            }),
        ),
        (
            "would refuse it: \"actor\" already names",
            Box::new(|o| {
                o.resources[1].name = "actor".into();
                o.resources[2].relations[0].types.clear();
            }),
        ),
    ];
    for (expected, edit) in edits {
        let failure = change(&*edit).expect_err(expected).to_string();
        assert!(
            failure.contains(expected),
            "gave {failure}\nexpected {expected}"
        );
    }
}

#[test]
fn a_policy_of_ours_is_exported() {
    let mut policy = outline(
        "definition user {}\ndefinition team {\n relation lead: user\n relation member: user\n}",
    );
    policy.resources.remove(0);
    let team = &mut policy.resources[0];
    team.relations[0].types = vec!["*".into(), "actor with expiration".into()];
    team.relations[0].manages = vec!["member".into()];
    team.relations[1].types = vec![];
    team.relations[1].expression = Some("lead + self".into());
    let options = ExportOptions {
        drop_management: true,
    };
    let expected = "use expiration\nuse self\n\ndefinition actor {}\n\ndefinition team {\n  relation lead: actor:* | actor with expiration\n  permission member = lead + self\n}\n";
    assert_eq!(export(&policy, &options).unwrap(), expected);
}

/// The schemas of a suite by file name.
fn files(folder: &str) -> Vec<(String, String)> {
    suite::list(folder)
        .into_iter()
        .filter(|file| file.contains(".yaml"))
        .filter_map(|file| Some((file.clone(), suite::read(&file)?)))
        .collect()
}

fn roundtrip(name: &str, schema: &str) -> Outline {
    let first = import(schema, &PLAIN).unwrap_or_else(|error| panic!("{name}: {error}\n{schema}"));
    let written = export(&first, &ExportOptions::default())
        .unwrap_or_else(|error| panic!("{name}: {error}\n{schema}"));
    let second =
        import(&written, &PLAIN).unwrap_or_else(|error| panic!("{name}: {error}\n{written}"));
    assert_eq!(second, first, "{name}\n{written}");
    first
}

#[test]
fn all_validation_files_of_the_suites_are_read() {
    for folder in ["spicedb/testconfigs", "workloads/spicedb-bench"] {
        let files = files(folder);
        let (mut relationships, mut asserted, mut expected, mut lookups) = (0, [0; 3], 0, 0);
        for (name, text) in &files {
            let file =
                ValidationFile::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            let schema = file.schema.as_ref().unwrap();
            let outline = roundtrip(name, &schema.text);
            assert!(!outline.resources.is_empty(), "{name}");
            let lines: Vec<&str> = text.lines().collect();
            for relationship in &file.relationships {
                let position = relationship.position;
                let line = &lines[position.line - 1][position.column - 1..];
                assert_eq!(
                    &Relationship::parse_at(line, position).unwrap(),
                    relationship,
                    "{name}"
                );
                let native = relationship.to_native(None).unwrap();
                let again = Relationship::from_native(&native, None).unwrap();
                assert_eq!(again.to_string(), relationship.to_string(), "{name}");
            }
            for assertion in &file.assertions {
                asserted[assertion.verdict as usize] += 1;
                let position = assertion.question.position;
                let line = &lines[position.line - 1][position.column - 1..];
                assert!(
                    line.starts_with(&assertion.question.resource.to_string()),
                    "{name}: {line}"
                );
            }
            relationships += file.relationships.len();
            expected += file
                .validation
                .iter()
                .map(|of| of.subjects.len())
                .sum::<usize>();
            lookups += file.lookups.resources.len() + file.lookups.subjects.len();
        }
        let [yes, no, caveated] = asserted;
        println!(
            "{folder}: {} files, {relationships} relationships, {yes} assertTrue, {no} assertFalse, {caveated} assertCaveated, {expected} expected subjects, {lookups} lookups",
            files.len()
        );
        assert_eq!(Verdict::Caveated as usize, 2);
    }
}

#[test]
fn schemas_of_the_thumper_scripts_are_read() {
    let mut schemas = BTreeSet::new();
    for (name, text) in files("workloads/thumper") {
        for (_, rest) in text
            .match_indices("schema: |\n")
            .map(|(at, start)| text.split_at(at + start.len()))
        {
            let indent = rest.len() - rest.trim_start_matches(' ').len();
            let inner =
                |line: &&str| line.trim().is_empty() || line.starts_with(&" ".repeat(indent));
            let schema: String = rest
                .lines()
                .take_while(inner)
                .map(|line| format!("{}\n", line.get(indent..).unwrap_or("")))
                .collect();
            let schema = schema
                .replace("{{ .Prefix }}", "tenant/")
                .replace("{{ $.Prefix }}", "tenant/");
            roundtrip(&name, &schema);
            schemas.insert(name.clone());
        }
    }
    println!("workloads/thumper: schemas of {schemas:?}");
    assert!(schemas.is_empty() || schemas.len() == 3);
}

/// Every schema, written in the native notation, is a policy.
#[test]
fn imported_schemas_compile() {
    for folder in ["spicedb/testconfigs", "workloads/spicedb-bench"] {
        for (name, text) in files(folder) {
            let schema = ValidationFile::parse(&text).unwrap().schema.unwrap();
            let yaml = outline(&schema.text).to_yaml();
            Policy::parse(&yaml).unwrap_or_else(|error| panic!("{name}: {error}\n{yaml}"));
        }
    }
}

const MUTATED_SCHEMA: &str = "use expiration\nuse self\nuse partial\n\n/** doc */\npartial p { relation q: user }\ndefinition user {}\n\
    definition tenant/document { // note\n  relation viewer: user | user:* with a/cav and expiration | tenant/document#viewer\n  ...p\n\
    permission view: user = viewer + nil & (q->view - self) + q.all(view)\n}\n\
    caveat a/cav(m map<any>, l list<string>) { m.a == \"}'\" && r'\\' in l /* } */ }\n";

const MUTATED_FILE: &str = "---\nschema: >-\n  definition user {}\n\n  definition document {\n    relation viewer: user\n  }\n\
    relationships: |\n  document:1#viewer@user:tom[cav:{\"a\": [1, {\"b\": \"]}\"}]}][expiration:2023-12-01T00:00:00Z]\n\
    assertions:\n  assertTrue:\n  - 'document:1#viewer@user:tom with {\"a\": 1}'\n\
    validation:\n  document:1#viewer:\n  - \"[user:* - {user:a[...], user:b}] is <document:1#viewer>/<document:1#view>\"\n\
    x_lookups:\n  lookupResources:\n  - {subject: user:tom, resourceType: document, permission: viewer, expectCount: 1}\n";

#[test]
fn no_text_panics_or_hangs() {
    let first = seed();
    let relationship = "a/document:1#viewer@user:tom#member[cav:{\"a\": [1, {\"b\": \"]}\"}]}][expiration:2023-12-01T00:00:00Z]";
    let native = "document:1#viewer@team:t#member with cav {\"a\":{\"b\":\"}\"}} and expiration 2023-12-01T00:00:00Z";
    let expression = Outline {
        without_owner: true,
        ..outline("definition user {}\ndefinition document { relation viewer: user\n permission view = viewer }")
    };
    for round in 0..rounds(5000) {
        let seed = first.wrapping_add(round);
        let mut random = Random::new(seed);
        let texts = [
            MUTATED_SCHEMA,
            MUTATED_FILE,
            relationship,
            native,
            "(viewer & `a-b`->c) - viewer&->view + self",
        ]
        .map(|text| mutate(&mut random, text));
        let outcome = std::panic::catch_unwind(|| {
            let [schema, file, relationship, native, expressed] = &texts;
            if let Ok(outline) = import(schema, &PLAIN) {
                if let Ok(written) = export(&outline, &ExportOptions::default()) {
                    assert_eq!(import(&written, &PLAIN).as_ref(), Ok(&outline), "{written}");
                }
            }
            let _ = ValidationFile::parse(file);
            if let Ok(read) = Relationship::parse(relationship) {
                assert_eq!(
                    Relationship::parse(&read.to_string()).unwrap().to_string(),
                    read.to_string()
                );
                let _ = read.to_native(Some("user"));
            }
            if let Ok(read) = Relationship::from_native(native, Some("user")) {
                assert_eq!(
                    Relationship::from_native(&read.to_native(Some("user")).unwrap(), Some("user")),
                    Ok(read)
                );
            }
            let mut outline = expression.clone();
            outline.resources[1].permissions[0].expression = Some(expressed.clone());
            let _ = export(&outline, &ExportOptions::default());
        });
        assert!(
            outcome.is_ok(),
            "HOLDFAST_SEED={seed} HOLDFAST_ROUNDS=1 {texts:#?}"
        );
    }
}
