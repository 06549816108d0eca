//! From JSON to JSON, as the page asks.

use policy_playground::{answer, REQUEST_BYTES_MAX};
use serde_json::{json, Value};

const POLICY: &str = include_str!("../../../docs/samples/clinic.yaml");
const RELATIONSHIPS: &str = include_str!("../../../docs/samples/clinic.relationships");
const QUESTIONS: &str = include_str!("../samples/clinic.questions");
const THEOREMS: &str = include_str!("../samples/clinic.theorems");
const SCHEMA: &str = include_str!("../../../docs/samples/drive.zed");
const DRIVE: &str = include_str!("../../../docs/samples/drive.relationships.zed");

fn asked(request: &Value) -> Value {
    serde_json::from_str(&answer(&request.to_string())).expect("an answer is JSON")
}

/// The sample with other questions.
fn sample(questions: &str) -> Value {
    json!({
        "do": "ask", "policy": POLICY, "relationships": RELATIONSHIPS, "questions": questions,
        "time": "2026-11-20T10:00:00Z", "show": ["answers"],
    })
}

/// The sample with one field changed.
fn with(field: &str, value: impl Into<Value>) -> Value {
    let mut request = sample("did:web:clinic.example:ann read record:r1");
    request[field] = value.into();
    asked(&request)
}

/// The only problem of an editor: line, column, message.
fn problem(reply: &Value, editor: &str) -> (u64, u64, String) {
    let list = reply["problems"][editor].as_array();
    let [problem] = list.map(Vec::as_slice).unwrap_or_default() else {
        panic!("{editor}: {}", reply["problems"]);
    };
    let number = |name: &str| problem[name].as_u64().expect("a number");
    let message = problem["message"].as_str().expect("a text").to_owned();
    (number("line"), number("column"), message)
}

#[test]
fn the_sample_is_answered() {
    let reply = asked(&sample(QUESTIONS));
    assert_eq!(reply["problems"], json!({}));
    let answers = reply["answers"].as_array().expect("answers");
    let decisions: Vec<&str> = answers
        .iter()
        .map(|answer| answer["decision"].as_str().unwrap_or("list"))
        .collect();
    let wanted = [
        "allow",
        "deny",
        "allow",
        "conditional",
        "allow",
        "list",
        "list",
    ];
    assert_eq!(decisions, wanted);
    assert_eq!(answers[3]["missing"], json!(["working"]));
    assert_eq!(answers[2]["until"], "2027-01-01T00:00:00Z");
    let reason = answers[0]["explanation"].to_string();
    assert!(
        reason.contains("team:night#member@did:web:clinic.example:ann"),
        "{reason}"
    );
    assert_eq!(
        answers[5]["allowed"],
        json!([
            "did:web:clinic.example:ann",
            "did:web:clinic.example:hal",
            "did:web:clinic.example:tom"
        ])
    );
    let names = answers[6]["names"].as_array().expect("names");
    assert!(names.contains(&json!({"name": "work", "decision": "allow", "missing": []})));
}

#[test]
fn every_form_of_a_question_is_read() {
    for (question, kind) in [
        ("did:x:a read record:r1", "check"),
        ("  record:r1#read@did:x:a", "check"),
        ("record:r1#read@team:night#member", "check"),
        ("* read record:r1", "check"),
        ("did:x:a manage(nurse) ward:w3", "check"),
        (
            "did:x:a read record:r1 at 2027-01-01T00:00:00Z with {\"working\": \"a b\"}",
            "check",
        ),
        ("did:x:a read record:?", "objects"),
        ("? read record:r1", "subjects"),
        ("team:?#member read record:r1", "subjects"),
        ("ward:? read record:r1", "subjects"),
        ("did:x:a ? record:r1", "permissions"),
    ] {
        let reply = asked(&sample(question));
        assert_eq!(
            reply["answers"][0]["kind"], kind,
            "{question}: {}",
            reply["problems"]
        );
    }
    let none = asked(&sample("\n// nothing\n  # neither\n"));
    assert_eq!(none["answers"], json!([]));
}

#[test]
fn what_is_wrong_with_a_question_has_its_place() {
    for (question, column, said) in [
        ("did:x:a read", 1, "ACTOR PERMISSION OBJECT"),
        ("did:x:a read record", 14, "resource:id"),
        ("ä:b read record:r1", 1, "ä"),
        ("did:x:a raed record:r1", 9, "did you mean \"read\""),
        ("did:x:a read recrod:r1", 14, "did you mean \"record\""),
        ("? ? record:r1", 1, "one place only"),
        ("did:x:a read record:r1 whenever", 24, "behind a question"),
        ("did:x:a read record:r1 at noon", 27, "RFC 3339"),
        ("did:x:a read record:r1 with {", 29, "JSON"),
        ("nurse:?#x read record:r1", 1, "nurse"),
        ("  ward:?#nrse read record:r1", 3, "nrse"),
    ] {
        let reply = asked(&sample(&format!("// first\n{question}")));
        let (line, found, message) = problem(&reply, "questions");
        assert_eq!((line, found), (2, column), "{question}: {message}");
        assert!(message.contains(said), "{question}: {message}");
    }
}

#[test]
fn nothing_is_answered_from_half_of_the_facts() {
    let broken = POLICY.replace("nurse + head", "nurse + haed");
    for (field, value, place) in [
        ("policy", broken.as_str(), (24, 19)),
        (
            "relationships",
            "ward:w3#nurse@did:x:a\nward:w3#nrse@did:x:b\n",
            (2, 1),
        ),
        ("relationships", "// one\n  ward w3", (2, 3)),
        ("time", "yesterday", (1, 1)),
        ("context", "{\n \"a\": }", (2, 7)),
    ] {
        let reply = with(field, value);
        assert_eq!(reply["answers"], Value::Null, "{field}");
        let (line, column, message) = problem(&reply, field);
        assert_eq!((line, column), place, "{field}: {message}");
    }
    // A warning stands in no answer's way.
    let warned = with(
        "policy",
        POLICY.replace("physician - barred", "amend - amend"),
    );
    assert_eq!(warned["problems"]["policy"][0]["kind"], "warning");
    assert_eq!(warned["answers"][0]["decision"], "allow");
}

#[test]
fn context_of_a_question_wins_over_that_of_all() {
    let mut request = sample(
        "did:web:clinic.example:pat amend record:r1\ndid:web:clinic.example:pat amend record:r1 with {\"working\": \"w4\"}",
    );
    request["context"] = "{\"working\": \"w3\"}".into();
    let answers = asked(&request)["answers"].clone();
    assert_eq!(answers[0]["decision"], "allow");
    assert_eq!(answers[1]["decision"], "deny");
}

#[test]
fn theorems_are_decided_with_counterexamples() {
    let mut request = sample("");
    request["theorems"] = THEOREMS.into();
    request["show"] = json!(["theorems"]);
    let reply = asked(&request);
    let theorems = reply["theorems"].as_array().expect("theorems");
    let verdicts: Vec<&str> = theorems
        .iter()
        .map(|theorem| theorem["verdict"].as_str().expect("a verdict"))
        .collect();
    assert_eq!(verdicts, ["holds", "fails", "holds", "holds", "holds"]);
    assert!(theorems[1]["relationships"].to_string().contains("#ward@"));
    request["theorems"] = "ImpliedRelations {\n  record:x#read =>\n}".into();
    assert_eq!(problem(&asked(&request), "theorems").0, 3);
}

#[test]
fn models_are_translated_or_refused_at_their_place() {
    let spicedb = asked(&json!({
        "do": "import", "notation": "spicedb", "model": SCHEMA, "relationships": DRIVE,
    }));
    assert_eq!(spicedb["problems"], json!({}));
    let mut request = sample("user:ann view document:roadmap");
    request["policy"] = spicedb["policy"].clone();
    request["relationships"] = spicedb["relationships"].clone();
    assert_eq!(asked(&request)["answers"][0]["decision"], "allow");

    let model = "model\n  schema 1.1\ntype user\ntype doc\n  relations\n    define viewer: [user] or editer\n";
    let openfga = asked(&json!({"do": "import", "notation": "openfga", "model": model}));
    assert_eq!(openfga["policy"], Value::Null);
    assert_eq!(problem(&openfga, "model").0, 6);
    for tuples in [
        "- {user: 'user:ann', relation: viewer, object: 'doc:1'}",
        "[{\"user\": \"user:ann\", \"relation\": \"viewer\", \"object\": \"doc:1\"}]",
        "user_type,user_id,user_relation,relation,object_type,object_id\nuser,ann,,viewer,doc,1\n",
    ] {
        let reply = asked(&json!({"do": "import", "notation": "openfga", "relationships": tuples}));
        assert_eq!(reply["relationships"], "doc:1#viewer@user:ann\n", "{reply}");
    }
}

/// Whatever is named like markup comes out escaped in a drawing.
#[test]
fn drawings_hold_no_markup_of_names() {
    let evil = "<script>alert(1)</script>";
    let policy = format!(
        "name: '{evil}]]>'\ndescription: '</desc>{evil}'\nresources:\n- name: doc\n  doc: '</title>{evil}'\n  relations:\n  - name: reader\n    doc: '</style>{evil}'\n    types: [actor]\n"
    );
    let relationships = format!("doc:<script>alert(1)</script>#reader@did:x:{evil}\n");
    let reply = asked(&json!({
        "do": "ask", "policy": policy, "relationships": relationships,
        "questions": format!("did:x:{evil} reader doc:{evil}"), "line": 1,
        "time": "2026-11-20T10:00:00Z", "show": ["answers", "schema", "relationships"],
    }));
    assert_eq!(reply["problems"], json!({}));
    for drawing in ["schema", "relationships"] {
        let svg = reply[drawing]["svg"].as_str().expect("a drawing");
        assert!(svg.contains("&lt;script&gt;"), "{drawing}");
        let elements = svg.split('<').skip(1).map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '/' | '?'));
            rest.split_at(end.unwrap_or(rest.len()))
                .0
                .trim_start_matches('/')
        });
        for element in elements {
            assert!(
                [
                    "?xml", "svg", "g", "title", "desc", "style", "rect", "path", "text", "tspan",
                    "circle", "line"
                ]
                .contains(&element),
                "{drawing}: <{element}>"
            );
        }
    }
}

#[test]
fn policies_are_rewritten() {
    let reply = asked(&json!({"do": "format", "policy": "resources:   {a: }"}));
    assert_eq!(reply["policy"], "resources:\n  a:\n");
    let broken = asked(&json!({"do": "format", "policy": "resources: 1"}));
    assert_eq!(broken["policy"], Value::Null);
    assert_eq!(problem(&broken, "policy").0, 1);
}

#[test]
fn what_is_no_request_is_refused() {
    for request in [
        "",
        "[]",
        "{}",
        "{\"do\": \"dance\"}",
        "{\"do\": \"ask\", \"policy\": 1}",
        "{\"do\": \"ask\", \"show\": [\"all\"]}",
        "{\"do\": \"ask\", \"line\": -1}",
        "{\"do\": \"import\", \"notation\": \"xml\"}",
        &"[".repeat(100_000),
        &" ".repeat(REQUEST_BYTES_MAX + 1),
    ] {
        let reply: Value = serde_json::from_str(&answer(request)).expect("JSON");
        assert!(reply["refused"].is_string(), "{reply}");
    }
}

/// Lines of questions, changed at random: answered or refused at a place in the text, and no panic.
#[test]
fn hostile_questions_are_refused_in_their_line() {
    let seed = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(1, |since| since.as_nanos() as u64);
    println!("seed {seed}");
    let mut state = seed;
    // Steele, Lea and Flood's SplitMix64.
    let mut random = move |below: usize| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as usize % below.max(1)
    };
    let pieces = [
        "?",
        "#",
        "@",
        ":",
        " ",
        "*",
        "{",
        "}",
        "\"",
        "with ",
        "at ",
        "did:x:a",
        "record:r1",
        "read",
        "ä",
        "\u{a0}",
        "\t",
        "owner",
        "manage(nurse)",
        "2027-01-01T00:00:00Z",
        "{\"a\":1}",
        "//",
        "team",
    ];
    let mut answered = 0;
    for _ in 0..2_000 {
        let mut line: Vec<char> = "did:x:a read record:r1".chars().collect();
        for _ in 0..=random(4) {
            let at = random(line.len() + 1);
            let end = (at + random(6)).min(line.len());
            let piece = pieces[random(pieces.len())].chars();
            line.splice(at..end, piece);
        }
        let line: String = line.into_iter().collect();
        let reply = asked(&sample(&line));
        answered += usize::from(reply["answers"][0]["kind"].is_string());
        for problem in reply["problems"]["questions"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let column = problem["column"].as_u64().expect("a column") as usize;
            assert_eq!(problem["line"], 1, "seed {seed}: {line:?}");
            assert!(
                column <= line.chars().count() + 1,
                "seed {seed}: {line:?}: {problem}"
            );
        }
    }
    assert!(answered > 20, "seed {seed}: {answered}");
}
