//! What a person does with the page, step by step.

use serde_json::{json, Value};

use crate::devtools::Browser;

const POLICY: &str = "name: plant\nresources:\n- name: cell\n  relations:\n  - name: operator\n    types: [actor]\n- name: batch\n  relations:\n  - name: cell\n    types: [cell]\n  - name: barred\n    types: [actor]\n  permissions:\n  - name: read\n    expr: cell->operator - barred\n";
const RELATIONSHIPS: &str = "cell:1#operator@did:x:ann\ncell:1#operator@did:x:bob\nbatch:b#cell@cell:1\nbatch:b#barred@did:x:bob\n";
const QUESTIONS: &str =
    "did:x:ann read batch:b\ndid:x:bob read batch:b\ndid:x:cid read batch:b\n? read batch:b\n";

/// What the list of answers shows, in order.
const DECISIONS: &str =
    "[...document.querySelectorAll('#panel-answers .card')].map(card => card.classList[1]).join(' ')";

/// All of it, in one browser.
pub fn play(browser: &mut Browser, address: &str) {
    the_sample_is_answered(browser, address);
    typed_texts_are_answered_and_explained(browser);
    errors_are_marked_at_their_places(browser);
    policies_are_rewritten(browser);
    drawings_are_shown(browser);
    theorems_are_decided(browser);
    models_are_imported(browser);
    the_other_sample_is_imported_and_asked(browser);
    hostile_names_stay_text(browser);
    tabs_go_by_keyboard(browser);
    a_trap_is_survived(browser);
    a_hard_question_is_stopped(browser);
    links_carry_everything(browser, address);
    all_widths_and_schemes_are_usable(browser, address);
    nothing_left_the_page(browser, address);
}

fn wait_for_decisions(browser: &mut Browser, wanted: &str) {
    browser.until(&format!("{DECISIONS} === '{wanted}'"));
}

fn choose(browser: &mut Browser, id: &str, value: &str) {
    browser.value(&format!(
        "{{ const list = document.getElementById('{id}'); list.value = '{value}'; list.dispatchEvent(new Event('change')); }}"
    ));
}

fn click(browser: &mut Browser, selector: &str) {
    browser.until(&format!("document.querySelector('{selector}')"));
    browser.value(&format!("document.querySelector('{selector}').click()"));
}

fn type_all(browser: &mut Browser) {
    browser.type_into("policy", POLICY);
    browser.type_into("relationships", RELATIONSHIPS);
    browser.type_into("questions", QUESTIONS);
}

fn the_sample_is_answered(browser: &mut Browser, address: &str) {
    browser.open(address);
    wait_for_decisions(browser, "allow deny allow conditional allow list list");
    browser.picture("answers");
}

fn typed_texts_are_answered_and_explained(browser: &mut Browser) {
    type_all(browser);
    wait_for_decisions(browser, "allow deny deny list");
    let first = browser.text("document.querySelector('#panel-answers .card').innerText");
    for said in [
        "did:x:ann has read on batch:b",
        "cell:1#operator@did:x:ann",
        "and not barred",
    ] {
        assert!(first.contains(said), "{said}: {first}");
    }
    let list = browser.text("document.querySelector('#panel-answers .card.list').innerText");
    assert!(
        list.contains("did:x:ann") && !list.contains("did:x:bob"),
        "{list}"
    );
    let signs = browser.text("document.querySelector('[data-editor=questions] .gutter').innerText");
    assert_eq!(signs.split_whitespace().collect::<String>(), "✓✕✕≡5");
    browser.value(
        "for (const card of document.querySelectorAll('#panel-answers .card')) card.open = true",
    );
    browser.picture("denied");
    // What would allow is one click away.
    click(
        browser,
        "#panel-answers .card:nth-of-type(3) .needed button",
    );
    wait_for_decisions(browser, "allow deny allow list");
}

fn errors_are_marked_at_their_places(browser: &mut Browser) {
    browser.type_into(
        "policy",
        &POLICY.replace("cell->operator - barred", "cell->operater - barred"),
    );
    browser.until("document.querySelector('#policy').getAttribute('aria-invalid') === 'true'");
    let place = browser.text("document.querySelector('#policy-problems button').innerText");
    assert_eq!(place, "line 15, column 17");
    let said = browser.text("document.querySelector('#policy-problems').innerText");
    assert!(said.contains("operater"), "{said}");
    let marked =
        browser.text("document.querySelector('[data-editor=policy] .marks .error').textContent");
    assert_eq!(marked, "operater");
    let signs = browser.text("document.querySelector('[data-editor=policy] .gutter').textContent");
    assert!(signs.contains("14\n✕"), "{signs}");
    assert_eq!(
        browser.text(DECISIONS),
        "",
        "nothing is answered from half of the facts"
    );
    browser.picture("error");
    // The place leads there.
    click(browser, "#policy-problems button");
    let caret = browser.value("document.querySelector('#policy').selectionStart");
    let expected = POLICY.find("operator - barred").expect("it is there");
    assert_eq!(caret, json!(expected));
    type_all(browser);
    wait_for_decisions(browser, "allow deny deny list");
    browser.type_into(
        "questions",
        "did:x:ann raed batch:b\ndid:x:ann read batch:b",
    );
    wait_for_decisions(browser, "error allow");
    let marked =
        browser.text("document.querySelector('[data-editor=questions] .marks .error').textContent");
    assert_eq!(marked, "raed");
    browser.type_into("context", "{\"a\": }");
    browser.until("document.querySelector('#context-problems').innerText.includes('JSON') || document.querySelector('#context').getAttribute('aria-invalid') === 'true'");
    browser.type_into("context", "");
    browser.type_into("questions", QUESTIONS);
    wait_for_decisions(browser, "allow deny deny list");
}

fn policies_are_rewritten(browser: &mut Browser) {
    browser.type_into(
        "policy",
        &POLICY.replace("types: [cell]", "types:    [ cell ]"),
    );
    click(browser, "[data-act=format]");
    let text = json!(POLICY);
    browser.until(&format!(
        "document.querySelector('#policy').value === {text}"
    ));
    wait_for_decisions(browser, "allow deny deny list");
}

fn drawings_are_shown(browser: &mut Browser) {
    click(browser, "#tab-schema");
    browser.until("document.querySelector('#panel-schema img').naturalWidth > 100");
    browser.picture("schema");
    click(browser, "#tab-answers");
    click(
        browser,
        "#panel-answers .card:nth-of-type(2) .buttons button:nth-child(2)",
    );
    browser.until("document.querySelector('#panel-relationships img').naturalWidth > 100");
    assert_eq!(
        browser.text("document.querySelector('#panel-relationships select').value"),
        "2"
    );
    browser.picture("relationships");
}

fn theorems_are_decided(browser: &mut Browser) {
    click(browser, "#tab-theorems");
    browser.type_into(
        "theorems",
        "ImpliedRelations {\n  batch:x#read & batch:x#barred => batch:x#owner\n  batch:x#read => batch:x#owner\n}",
    );
    browser.until("document.querySelectorAll('#theorem-results .card').length === 2");
    let verdicts = browser.text("[...document.querySelectorAll('#theorem-results .decision')].map(e => e.innerText.trim()).join()");
    assert_eq!(verdicts, "✓ holds,✕ fails");
    let example = browser.text("document.querySelector('#theorem-results .sample').innerText");
    assert!(example.contains("#operator@"), "{example}");
    browser.picture("theorems");
}

fn models_are_imported(browser: &mut Browser) {
    click(browser, "#tab-import");
    browser.type_into("model", "model\n  schema 1.1\ntype user\ntype doc\n  relations\n    define viewer: [user] or editer\n    define editor: [user]\n");
    browser.until("document.querySelector('#model-problems').innerText.includes('editer')");
    browser.type_into("model", "model\n  schema 1.1\ntype user\ntype doc\n  relations\n    define viewer: [user] or editor\n    define editor: [user]\n");
    browser.type_into(
        "tuples",
        "- {user: 'user:ann', relation: editor, object: 'doc:1'}",
    );
    browser
        .until("document.querySelector('#imported').innerText.includes('doc:1#editor@user:ann')");
    browser.picture("import");
    click(browser, "#use");
    browser.type_into(
        "questions",
        "user:ann viewer doc:1\nuser:bob viewer doc:1\nuser:? viewer doc:1",
    );
    wait_for_decisions(browser, "allow deny list");
}

fn the_other_sample_is_imported_and_asked(browser: &mut Browser) {
    choose(browser, "sample", "1");
    wait_for_decisions(browser, "allow allow deny allow list list");
    let said = browser.text("document.querySelector('#status').innerText");
    assert_eq!(said, "6 answers: 3 allow, 1 deny, 2 list.");
    click(browser, "#tab-relationships");
    browser.until("document.querySelector('#panel-relationships img').naturalWidth > 100");
    // Another policy has other questions: none is chosen.
    browser.until("document.querySelector('#panel-relationships select').value === ''");
    click(browser, "#panel-relationships .enlarge");
    browser.picture("enlarged");
    let hidden = "getComputedStyle(document.querySelector('.texts')).display";
    assert_eq!(browser.text(hidden), "none");
    click(browser, "#panel-relationships .enlarge");
}

/// Whatever can be named is named like markup: it must come out as text everywhere.
fn hostile_names_stay_text(browser: &mut Browser) {
    let evil = "<img/src=x/onerror=injected=1>";
    browser.type_into("policy", &format!(
        "name: '</title><script>injected=1</script>{evil}'\ndescription: ']]></desc>{evil}'\nresources:\n- name: doc\n  doc: '{evil}'\n  relations:\n  - name: reader\n    doc: '</style>{evil}'\n    types: [actor]\n"));
    browser.type_into(
        "relationships",
        &format!(
            "doc:{evil}#reader@did:x:{evil}\ndoc:</svg><script>injected=1</script>#reader@did:x:a"
        ),
    );
    browser.type_into("questions", &format!("did:x:{evil} reader doc:{evil}\n? reader doc:{evil}\ndid:x:{evil} {evil} doc:1\n{evil}"));
    wait_for_decisions(browser, "allow list error");
    browser.until("document.querySelector('#questions-problems').innerText.includes('onerror')");
    for tab in ["schema", "relationships", "theorems"] {
        click(browser, &format!("#tab-{tab}"));
    }
    click(browser, "#tab-relationships");
    browser.until("document.querySelector('#panel-relationships img').naturalWidth > 100");
    let images = browser.value("document.querySelectorAll('img').length");
    assert_eq!(images, json!(2), "only the two drawings are images");
    assert_eq!(browser.text("typeof injected"), "undefined");
    let scripts = browser.value("document.querySelectorAll('script').length");
    assert_eq!(scripts, json!(4), "the page's own");
    assert!(browser.text("document.title").contains("<script>"));
    // Even what would reach the page as markup could not run.
    let run = "(() => { try { document.body.innerHTML = '<b>'; return 'taken'; } catch { return 'refused'; } })()";
    assert_eq!(browser.text(run), "refused");
}

fn tabs_go_by_keyboard(browser: &mut Browser) {
    browser.value("document.querySelector('[role=tab][tabindex=\"0\"]').focus()");
    browser.press("Home");
    let selected = "document.querySelector('[role=tab][aria-selected=true]').id";
    assert_eq!(browser.text(selected), "tab-answers");
    browser.press("ArrowRight");
    assert_eq!(browser.text(selected), "tab-schema");
    assert_eq!(browser.text("document.activeElement.id"), "tab-schema");
    browser.press("Tab");
    assert!(
        browser.value("document.querySelector('#panel-schema').contains(document.activeElement)")
            == true
    );
    browser.press("Home");
    let named = "[...document.querySelectorAll('button, input, select, textarea')].filter(e => !(e.innerText || e.labels?.length || e.ariaLabel)).map(e => e.outerHTML).join()";
    assert_eq!(
        browser.text(named),
        "",
        "whatever can be operated has a name"
    );
}

/// A real trap: the engine is made to ask for more memory than there is.
fn a_trap_is_survived(browser: &mut Browser) {
    type_all(browser);
    click(browser, "#tab-answers");
    broken(browser, "real.allocate(-1)");
    browser.until("document.querySelector('#status').innerText.includes('started anew')");
    answers_again(browser);
}

/// A real stop of the real worker: the engine is made to go on for ever, which no engine and no machine
/// is too fast for.
fn a_hard_question_is_stopped(browser: &mut Browser) {
    type_all(browser);
    broken(browser, "{ for (;;); }");
    browser.until("!document.querySelector('#stop').hidden");
    // The page itself goes on meanwhile.
    assert_eq!(browser.value("1 + 1"), json!(2));
    browser.until("document.querySelector('#status').innerText.includes('too hard')");
    answers_again(browser);
    type_all(browser);
    wait_for_decisions(browser, "allow deny deny list");
}

fn links_carry_everything(browser: &mut Browser, address: &str) {
    browser.type_into("time", "2027-01-01T00:00:00Z");
    let carried = "new Response(new Blob([Uint8Array.from(atob(location.hash.slice(2).replaceAll('-', '+').replaceAll('_', '/')), c => c.charCodeAt(0))]).stream().pipeThrough(new DecompressionStream('deflate-raw'))).json()";
    browser.until(&format!(
        "{carried}.then(texts => texts.time === '2027-01-01T00:00:00Z')"
    ));
    let link = browser.text("location.href");
    browser.open(&link);
    wait_for_decisions(browser, "allow deny deny list");
    assert_eq!(
        browser.text("document.querySelector('#policy').value"),
        POLICY
    );
    assert_eq!(
        browser.text("document.querySelector('#time').value"),
        "2027-01-01T00:00:00Z"
    );
    browser.open(&format!("{address}#1damaged"));
    browser.until("document.querySelector('#policy').value.includes('clinic')");
}

fn all_widths_and_schemes_are_usable(browser: &mut Browser, address: &str) {
    browser.open(address);
    for (scheme, width, height) in [("dark", 1280, 860), ("light", 400, 860), ("dark", 400, 860)] {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        browser.page("Emulation.setEmulatedMedia", json!({"features": features}));
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        browser.page("Emulation.setDeviceMetricsOverride", size);
        for tab in ["answers", "schema", "relationships", "theorems", "import"] {
            click(browser, &format!("#tab-{tab}"));
            let wide = browser.value("document.documentElement.scrollWidth");
            assert_eq!(wide, json!(width), "{tab} at {width}");
            let target = if width < 900 { "results" } else { "sample" };
            browser.value(&format!(
                "document.getElementById('{target}').scrollIntoView()"
            ));
            browser.until("document.querySelector('#took').textContent.includes('Answered')");
            browser.picture(&format!("{scheme}-{width}-{tab}"));
        }
        browser.value("scrollTo(0, 0)");
        browser.picture(&format!("{scheme}-{width}-top"));
    }
    browser.page("Emulation.clearDeviceMetricsOverride", json!({}));
}

/// Every request since the browser started, and every complaint.
fn nothing_left_the_page(browser: &mut Browser, address: &str) {
    let told = browser.told();
    let of = |method: &'static str| told.iter().filter(move |event| event["method"] == method);
    let asked: Vec<&str> = of("Network.requestWillBeSent")
        .filter_map(|event| event["params"]["request"]["url"].as_str())
        .collect();
    assert!(
        asked.iter().any(|url| url.starts_with(address)),
        "{asked:?}"
    );
    let out: Vec<&&str> = asked
        .iter()
        .filter(|url| {
            !url.starts_with(address) && !url.starts_with("blob:") && **url != "about:blank"
        })
        .collect();
    assert!(out.is_empty(), "the page asked for {out:?}");
    let thrown: Vec<&Value> = of("Runtime.exceptionThrown").collect();
    assert!(thrown.is_empty(), "{thrown:?}");
    // The one complaint is about what the test itself tried.
    let complaints: Vec<&str> = of("Log.entryAdded")
        .filter(|event| event["params"]["entry"]["level"] == "error")
        .filter_map(|event| event["params"]["entry"]["text"].as_str())
        .filter(|text| !text.contains("TrustedHTML"))
        .collect();
    assert!(complaints.is_empty(), "{complaints:?}");
}

/// Asks the engine, which does `instead`.
fn broken(browser: &mut Browser, instead: &str) {
    wait_for_decisions(browser, "allow deny deny list");
    browser.worker_value(&format!(
        "{{ const real = instance.exports; instance = {{ exports: {{ ...real, ask: () => {instead} }} }}; 0 }}",
    ));
    browser.type_into("questions", "did:x:ann read batch:b");
}

/// What was shown stays, and another worker answers from then on.
fn answers_again(browser: &mut Browser) {
    assert_eq!(
        browser.text(DECISIONS),
        "allow deny deny list",
        "what was shown stays"
    );
    browser.type_into("questions", "did:x:bob read batch:b");
    wait_for_decisions(browser, "deny");
}
