//! `hold policy`, over the samples of the documentation: what it answers, as text and as JSON, and
//! with which exit codes.

use std::path::PathBuf;

use serde_json::{json, Value};

use crate::hold::{text, Hold, Ran};

/// A file of `docs/samples`.
fn sample(name: &str) -> String {
    let folder = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let path = folder.join("../../docs/samples").join(name);
    text(&path).to_owned()
}

fn person(name: &str) -> String {
    format!("did:web:clinic.example:{name}")
}

/// What is asked of the clinic.
struct Clinic {
    hold: Hold,
    policy: String,
    relationships: String,
}

impl Clinic {
    fn new() -> Self {
        Self {
            hold: Hold::new(),
            policy: sample("clinic.yaml"),
            relationships: sample("clinic.relationships"),
        }
    }

    /// Runs `hold policy VERB FILE …` over the relationships, in 2026 unless `more` has a time.
    fn ask<'a>(&'a self, verb: &[&'a str], rest: &[&'a str], as_json: bool) -> Ran {
        let mut all = vec!["policy"];
        all.extend(verb);
        all.push(&self.policy);
        all.extend(rest);
        all.extend(["--relationships", &self.relationships]);
        if !rest.contains(&"--time") {
            all.extend(["--time", "2026-11-20T10:00:00Z"]);
        }
        match as_json {
            true => self.hold.json(&all),
            false => self.hold.run(&all),
        }
    }

    fn json(&self, verb: &[&str], rest: &[&str], code: i32) -> Value {
        self.ask(verb, rest, true).expect(code).json()
    }

    fn says(&self, verb: &[&str], rest: &[&str], code: i32) -> String {
        self.ask(verb, rest, false).expect(code).out
    }
}

#[test]
fn an_allow_is_explained_by_one_shortest_reason() {
    let (clinic, ann) = (Clinic::new(), person("ann"));
    let asked = [ann.as_str(), "read", "record:r1"];
    assert_eq!(
        clinic.says(&["explain"], &asked, 0),
        "\
did:web:clinic.example:ann has read on record:r1
  record:r1#read
    record:r1#ward@ward:w3
      ward:w3#work
        ward:w3#nurse
          ward:w3#nurse@team:night#member
            team:night#member
              team:night#member@did:web:clinic.example:ann
    and not barred on record:r1
"
    );
    let json = clinic.json(&["explain"], &asked, 0);
    assert_eq!(json["decision"], "allow", "{json}");
    assert_eq!(json["is_all"], true, "{json}");
    assert_eq!(json["why"]["is_shortest"], true, "{json}");
    let reason = &json["why"]["reason"];
    assert_eq!(
        reason[0],
        json!({"level": 0, "fact": "has", "object": "record:r1", "name": "read"})
    );
    assert_eq!(
        reason[1],
        json!({"level": 1, "fact": "stands", "relationship": "record:r1#ward@ward:w3"})
    );
    assert_eq!(
        reason[7],
        json!({"level": 1, "fact": "without", "object": "record:r1", "expression": "barred"})
    );
    let check = clinic.json(&["check"], &asked, 0);
    for (name, value) in check.as_object().unwrap() {
        assert_eq!(json[name], *value, "{name}");
    }
}

#[test]
fn a_deny_is_explained_by_what_would_be_needed_or_what_excludes() {
    let clinic = Clinic::new();
    let (eve, bea, tom) = (person("eve"), person("bea"), person("tom"));
    let json = clinic.json(&["explain"], &[&eve, "read", "record:r1"], 1);
    assert_eq!(json["decision"], "deny", "{json}");
    assert_eq!(
        json["why"]["needed"],
        json!([{"relationship": format!("record:r1#physician@{eve}"), "with": []}])
    );
    assert_eq!(json["why"]["is_minimal"], true, "{json}");
    assert_eq!(
        json["why"]["tried"][1],
        json!({"level": 1, "came": "not_a_member", "object": "record:r1", "name": "physician"})
    );

    let said = clinic.says(&["explain"], &[&bea, "read", "record:r1"], 1);
    let excluded = "what excludes it\n    record:r1#barred\n      record:r1#barred@";
    assert!(said.contains(excluded), "{said}");
    assert!(said.contains("excluded by barred on record:r1\n"), "{said}");

    let late = [&tom, "read", "record:r1", "--time", "2028-01-01T00:00:00Z"];
    let said = clinic.says(&["explain"], &late, 1);
    assert!(said.contains(": has expired\n"), "{said}");

    let unknown = clinic.json(&["explain"], &[&eve, "reed", "record:r1"], 2);
    assert!(unknown["error"].is_string(), "{unknown}");
}

#[test]
fn a_conditional_answer_is_no_and_is_explained_by_what_it_lacks() {
    let (clinic, pat) = (Clinic::new(), person("pat"));
    let asked = [pat.as_str(), "amend", "record:r1"];
    let json = clinic.json(&["check"], &asked, 1);
    assert_eq!(json["decision"], "conditional", "{json}");
    assert_eq!(json["missing"], json!(["working"]), "{json}");

    let lacking = format!("record:r1#physician@{pat} with on_shift {{\"ward\":\"w3\"}}");
    let json = clinic.json(&["explain"], &asked, 1);
    assert_eq!(json["decision"], "conditional", "{json}");
    assert_eq!(
        json["why"]["lacking"],
        json!([{"relationship": lacking, "missing": ["working"]}])
    );
    let said = clinic.says(&["explain"], &asked, 1);
    assert!(said.contains("lacks working"), "{said}");

    for (given, code) in [("w3", 0), ("w4", 1)] {
        let given = format!("{{\"working\":\"{given}\"}}");
        let mut asked = asked.to_vec();
        asked.extend(["--context", &given]);
        clinic.json(&["check"], &asked, code);
        let json = clinic.json(&["explain"], &asked, code);
        assert_ne!(json["decision"], "conditional", "{json}");
    }
    let mut asked = asked.to_vec();
    asked.extend(["--context", "[]"]);
    clinic.json(&["check"], &asked, 2);
}

#[test]
fn lookups_list_objects_and_subjects_page_by_page() {
    let (clinic, pat) = (Clinic::new(), person("pat"));
    let objects = ["lookup", "objects"];
    let found = clinic.json(&objects, &[&person("ann"), "record#read"], 0);
    assert_eq!(found["allowed"], json!(["record:r1"]), "{found}");
    let found = clinic.json(&objects, &[&pat, "record#read"], 0);
    assert_eq!(
        found["conditional"],
        json!([{"name": "record:r1", "missing": ["working"]}]),
        "{found}"
    );
    let said = clinic.says(&objects, &[&person("eve"), "record#read"], 0);
    assert_eq!(said, "nobody and nothing\n");
    clinic.json(&objects, &[&pat, "read"], 2);

    let subjects = ["lookup", "subjects"];
    let found = clinic.json(&subjects, &["record:r1", "read"], 0);
    let allowed: Vec<String> = ["ann", "hal", "tom"].into_iter().map(person).collect();
    assert_eq!(found["allowed"], json!(allowed), "{found}");
    assert_eq!(found["conditional"][0]["name"], pat, "{found}");
    assert_eq!(found["everyone"], "deny", "{found}");

    // Page by page, the same.
    let (mut listed, mut after) = (vec![], None::<String>);
    for _ in 0..10 {
        let mut rest = vec!["record:r1", "read", "--most", "1"];
        rest.extend(after.iter().flat_map(|after| ["--after", after]));
        let page = clinic.json(&subjects, &rest, 0);
        listed.extend(page["allowed"].as_array().unwrap().clone());
        after = page["next"].as_str().map(str::to_owned);
        if after.is_none() {
            break;
        }
    }
    assert_eq!(json!(listed), json!(allowed));

    let of = ["ward:w3", "work", "--of", "team#member"];
    let found = clinic.json(&subjects, &of, 0);
    assert_eq!(found["allowed"], json!(["team:night#member"]), "{found}");
}

#[test]
fn all_that_somebody_may_do_is_listed() {
    let clinic = Clinic::new();
    let found = clinic.json(&["permissions"], &[&person("pat"), "record:r1"], 0);
    let of = |name: &str| {
        let all = found["permissions"].as_array().unwrap();
        let one = all.iter().find(|one| one["name"] == name);
        one.unwrap_or_else(|| panic!("{found}"))["decision"].clone()
    };
    assert_eq!(of("amend"), "conditional");
    assert_eq!(of("create"), "deny");
    let said = clinic.says(&["permissions"], &[&person("ann"), "record:r1"], 0);
    assert!(said.contains("allow       read\n"), "{said}");
}

#[test]
fn what_can_influence_a_permission_is_listed() {
    let hold = Hold::new();
    let clinic = sample("clinic.yaml");
    let found = hold.json(&["policy", "reachable", &clinic, "record#read"]);
    let found = found.expect(0).json();
    let relation = |resource: &str, relation: &str, influence: &str| {
        let wanted = json!({"resource": resource, "relation": relation, "influence": influence});
        let all = found["relations"].as_array().unwrap();
        assert!(all.contains(&wanted), "{wanted}: {found}");
    };
    relation("record", "physician", "grants");
    relation("record", "barred", "takes");
    relation("team", "member", "grants");
    hold.run(&["policy", "reachable", &clinic, "record"])
        .expect(2);
    hold.run(&["policy", "reachable", &clinic, "record#reed"])
        .expect(2);
}

#[test]
fn a_policy_and_its_relationships_are_drawn() {
    let hold = Hold::new();
    let (policy, relationships) = (sample("clinic.yaml"), sample("clinic.relationships"));
    let svg = hold.run(&["policy", "draw", &policy]).expect(0).out;
    assert!(svg.contains("<svg ") && svg.contains("physician"), "{svg}");
    let mermaid = hold
        .run(&["policy", "draw", &policy, "--mermaid"])
        .expect(0)
        .out;
    assert!(mermaid.contains("\nflowchart "), "{mermaid}");
    let near = [
        "policy",
        "draw",
        &policy,
        "--relationships",
        &relationships,
        "--mermaid",
    ];
    let whole = hold.run(&near).expect(0).out;
    assert!(whole.contains("clinic.example:bea"), "{whole}");
    let mut near = near.to_vec();
    near.extend(["--around", "team:night", "--steps", "1"]);
    let part = hold.run(&near).expect(0).out;
    assert!(
        part.contains("night") && !part.contains("clinic.example:pat"),
        "{part}"
    );
    let out = hold.path("clinic.svg");
    let written = hold.json(&["policy", "draw", &policy, "--out", text(&out)]);
    assert_eq!(written.expect(0).json()["form"], "svg");
    assert_eq!(std::fs::read_to_string(out).unwrap(), svg);
}

#[test]
fn what_an_edit_does_is_said_before_it_is_done() {
    let hold = Hold::new();
    let (old, relationships) = (sample("clinic.yaml"), sample("clinic.relationships"));
    let time = [
        "--relationships",
        &relationships,
        "--time",
        "2026-11-20T10:00:00Z",
    ];
    let diff = |new: &str| {
        let mut all = vec!["policy", "diff", old.as_str(), new];
        all.extend(time);
        hold.json(&all)
    };
    let same = diff(&old).expect(0).json();
    assert_eq!(same["changed"], json!([]), "{same}");
    let edited = std::fs::read_to_string(&old).unwrap();
    let edited = edited.replace("expr: physician + ward->work - barred", "expr: physician");
    let new = hold.file("new.yaml", edited);
    let found = diff(text(&new)).expect(1).json();
    let read = found["changed"].as_array().unwrap();
    let read = read.iter().find(|one| one["name"] == "read").unwrap();
    assert_eq!(read["resource"], "record", "{found}");
    assert_eq!(read["lost"], 1, "{found}");
}

#[test]
fn spicedb_and_openfga_are_imported_asked_and_exported() {
    let hold = Hold::new();
    let (policy, relationships) = (hold.path("drive.yaml"), hold.path("drive.relationships"));
    let (policy, relationships) = (text(&policy), text(&relationships));
    hold.json(&[
        "policy",
        "import",
        "spicedb",
        &sample("drive.zed"),
        "--out",
        policy,
    ])
    .expect(0);
    let lines = sample("drive.relationships.zed");
    let lines = [
        "policy",
        "import",
        "spicedb",
        "--relationships",
        &lines,
        "--out",
        relationships,
    ];
    assert_eq!(hold.json(&lines).expect(0).json()["relationships"], 6);
    for (who, code) in [("user:ann", 0), ("user:eve", 1)] {
        let asked = ["policy", "explain", policy, who, "view", "document:roadmap"];
        let mut asked = asked.to_vec();
        asked.extend(["--relationships", relationships]);
        hold.run(&asked).expect(code);
    }

    let schema = hold
        .run(&["policy", "export", "spicedb", policy])
        .expect(0)
        .out;
    assert!(schema.contains("definition document"), "{schema}");
    let again = hold.file("again.zed", &schema);
    hold.run(&["policy", "import", "spicedb", text(&again)])
        .expect(0);

    let model = hold
        .run(&["policy", "export", "openfga", policy])
        .expect(0)
        .out;
    assert!(model.contains("type document"), "{model}");
    let model = hold.file("drive.fga", &model);
    let imported = hold.json(&["policy", "import", "openfga", text(&model)]);
    assert!(imported.expect(0).json()["text"].is_string());

    // What others cannot express is refused by name, with its place.
    let refused = hold
        .run(&["policy", "export", "spicedb", &sample("clinic.yaml")])
        .expect(2);
    assert!(refused.err.contains("owner"), "{}", refused.err);
    let broken = hold.file("broken.zed", "definition user {\n  relation x: nobody\n}\n");
    let refused = hold
        .run(&["policy", "import", "spicedb", text(&broken)])
        .expect(2);
    assert!(refused.err.contains("nobody"), "{}", refused.err);
}

#[test]
fn a_policy_is_written_as_everybody_writes_it() {
    let hold = Hold::new();
    let neat = std::fs::read_to_string(sample("clinic.yaml")).unwrap();
    let file = hold.file(
        "clinic.yaml",
        neat.replace("name: ward", "name:   ward   # kept"),
    );
    let file = text(&file);
    hold.run(&["policy", "fmt", file, "--check"]).expect(1);
    let changed = hold.json(&["policy", "fmt", file]).expect(0).json();
    assert_eq!(changed["changed"], true);
    assert!(std::fs::read_to_string(file).unwrap().contains("# kept"));
    hold.run(&["policy", "fmt", file, "--check"]).expect(0);
    let changed = hold.json(&["policy", "fmt", file]).expect(0).json();
    assert_eq!(changed["changed"], false);
    let bad = hold.file("bad.yaml", "name: [");
    hold.run(&["policy", "fmt", text(&bad)]).expect(2);
}

#[test]
fn test_files_are_run_and_failures_are_told() {
    let hold = Hold::new();
    let test = |name: &str, assertions: &str| {
        let schema = "definition user {}\ndefinition document {\n  relation reader: user\n}";
        let schema = schema.replace('\n', "\n  ");
        let text = format!(
            "schema: |-\n  {schema}\nrelationships: |-\n  document:a#reader@user:ann\nassertions:\n{assertions}"
        );
        hold.file(name, text)
    };
    let good = test(
        "good.yaml",
        "  assertTrue: ['document:a#reader@user:ann']\n",
    );
    let ran = hold.run(&["policy", "test", text(&good)]).expect(0);
    assert!(
        ran.out.contains("1 passed, 0 failed, 0 skipped"),
        "{}",
        ran.out
    );
    let bad = test("bad.yaml", "  assertTrue: ['document:a#reader@user:bob']\n");
    let ran = hold
        .json(&["policy", "test", text(&good), text(&bad)])
        .expect(1)
        .json();
    assert_eq!(
        (&ran["passed"], &ran["failed"]),
        (&json!(1), &json!(1)),
        "{ran}"
    );
    hold.run(&["policy", "test"]).expect(2);

    let theorems = hold.file(
        "theorems",
        "Authorizations {\n  record:r1#read@did:web:clinic.example:ann\n}\nImpliedRelations {\n  record:x#amend => record:x#read\n}\n",
    );
    let (policy, relationships) = (sample("clinic.yaml"), sample("clinic.relationships"));
    let asked = [
        "policy",
        "test",
        "--policy",
        &policy,
        "--relationships",
        &relationships,
    ];
    let mut asked = asked.to_vec();
    asked.extend(["--theorems", text(&theorems)]);
    let ran = hold.json(&asked).expect(0).json();
    assert_eq!(
        (&ran["passed"], &ran["failed"]),
        (&json!(2), &json!(0)),
        "{ran}"
    );
}
