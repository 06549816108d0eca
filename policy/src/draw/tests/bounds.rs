//! What is too much, and what is meant to break out.

use alloc::{format, string::String, vec::Vec};

use super::{
    super::{relationships, schema, Around, DrawError, DrawOptions, Explained, SvgOptions},
    policy,
    xml::elements,
};
use crate::{
    limits::{DRAWN_EDGES_MAX, DRAWN_RELATIONSHIPS_MAX},
    Actor, Policy, Question, Relationship,
};

/// What fills 64 kB with as many edges as it can.
fn dense() -> String {
    let mut text = String::from("resources:\n");
    for at in 0..100 {
        let all: Vec<String> = (0..100).map(|other| format!("t{other}")).collect();
        let types = if at == 0 {
            all.join(",")
        } else {
            format!("t{}", (at * 37) % 100)
        };
        text.push_str(&format!(
            " t{at}:\n  relations:\n   r: {{types: [{types}]}}\n  permissions:\n"
        ));
        for permission in 0..if at == 0 { 64 } else { 12 } {
            text.push_str(&format!("   p{permission}: {{expr: r->r}}\n"));
        }
    }
    text
}

#[test]
fn a_policy_of_many_edges_is_drawn_in_part_and_says_so() {
    let text = dense();
    assert!(
        text.len() < crate::limits::DEFINITION_BYTES_MAX,
        "{}",
        text.len()
    );
    let picture = schema(&policy(&text));
    assert_eq!(picture.size(), (100, DRAWN_EDGES_MAX));
    let svg = picture.to_svg();
    assert!(svg.contains("are left out"));
    assert!(svg.len() < 8 << 20, "{} bytes", svg.len());
    elements(&svg).unwrap();
}

#[test]
fn a_policy_of_many_rows_is_drawn() {
    let mut text = String::from("resources:\n");
    for at in 0..8 {
        text.push_str(&format!(" t{at}:\n  relations:\n"));
        (0..128).for_each(|r| text.push_str(&format!("   r{r}: {{types: [t{}]}}\n", (at + 1) % 8)));
        text.push_str("  permissions:\n");
        (0..128).for_each(|p| text.push_str(&format!("   p{p}: {{expr: r{p}->r{}}}\n", 127 - p)));
    }
    let picture = schema(&policy(&text));
    elements(&picture.to_svg()).unwrap();
}

#[test]
fn long_names_and_expressions_are_cut() {
    let name = "n".repeat(64);
    let operands = (0..100)
        .map(|_| name.clone())
        .collect::<Vec<_>>()
        .join(" + ");
    let text = format!("name: {}\nresources:\n {name}:\n  relations:\n   {name}: {{types: [{name}]}}\n  permissions:\n   p: {{expr: {operands}}}\n", "long ".repeat(200));
    let picture = schema(&policy(&text));
    let page = super::super::page::page(&picture);
    assert!(
        page.width < 1_000 && page.height < 600,
        "{} x {}",
        page.width,
        page.height
    );
}

fn many(count: usize) -> Vec<Relationship> {
    (0..count)
        .map(|at| format!("doc:{at}#parent@doc:{}", at + 1).parse().unwrap())
        .collect()
}

fn documents() -> Policy {
    policy("resources:\n doc:\n  relations:\n   parent: {types: [doc]}\n   reader: {types: [actor, '*']}\n  permissions:\n   read: {expr: reader + parent->read}\n")
}

#[test]
fn too_many_relationships_are_refused_with_the_way_out() {
    let policy = documents();
    let all = many(DRAWN_RELATIONSHIPS_MAX + 1);
    let refused = relationships(&policy, &all, &DrawOptions::default()).unwrap_err();
    assert_eq!(
        refused,
        DrawError::TooMany {
            found: all.len(),
            max: DRAWN_RELATIONSHIPS_MAX
        }
    );
    assert!(format!("{refused}").contains("--around"), "{refused}");
    let near = |center: &str, steps| {
        let around = Around {
            center: center.parse().unwrap(),
            steps,
        };
        relationships(
            &policy,
            &all,
            &DrawOptions {
                around: Some(around),
                ..Default::default()
            },
        )
    };
    assert_eq!(near("doc:100", 2).unwrap().size(), (5, 4));
    assert_eq!(
        near("doc:x", 2).unwrap_err(),
        DrawError::NothingNear {
            center: "doc:x".into()
        }
    );
    assert!(near("doc:100", 1_000).is_err());
    assert!(elements(
        &relationships(&policy, &all[1..], &DrawOptions::default())
            .unwrap()
            .to_svg()
    )
    .is_ok());
    assert_eq!(
        relationships(&policy, &[], &DrawOptions::default())
            .unwrap()
            .size(),
        (0, 0)
    );
}

#[test]
fn an_answer_stands_out_and_what_is_missing_is_shown() {
    let policy = documents();
    let facts: Vec<Relationship> = [
        "doc:1#parent@doc:2",
        "doc:2#reader@did:u:a",
        "doc:1#reader@did:u:b",
    ]
    .iter()
    .map(|text| text.parse().unwrap())
    .collect();
    let question = Question::new(
        "doc:1".parse().unwrap(),
        "read",
        Actor::new("did:u:a").unwrap(),
    );
    let explained = Explained {
        question,
        answer: "allow".into(),
        used: facts[..2].to_vec(),
        missing: Vec::from(["doc:1#reader@*".parse().unwrap()]),
    };
    let options = DrawOptions {
        explained: Some(explained),
        ..Default::default()
    };
    let picture = relationships(&policy, &facts, &options).unwrap();
    assert_eq!(picture.size(), (5, 4));
    assert_eq!(
        picture.edges.iter().filter(|edge| edge.highlighted).count(),
        2
    );
    let svg = picture.to_svg();
    for expected in [
        "did:u:a asks for read on doc:1: allow",
        "class=\"edge hue0 strong\"",
        "is missing",
        "what the answer rests on",
    ] {
        assert!(svg.contains(expected), "{expected}");
    }
    let chart = picture.to_mermaid();
    assert!(
        chart.contains("linkStyle") && chart.contains("stroke-width:4px"),
        "{chart}"
    );
}

#[test]
fn names_cannot_break_out() {
    let evil = "</text><script>alert(1)</script> & \\\" ' ]]> \\u0001 \\u202e --> %% ```js `x` #quot; style:x#a;";
    let text = format!("name: \"{evil}\"\ndescription: \"{evil}\"\nactor:\n  name: actor\nresources:\n doc:\n  doc: \"{evil}\"\n  relations:\n   r: {{doc: \"{evil}\"}}\n");
    let policy = policy(&text);
    let facts: Vec<Relationship> = [
        "doc:<b>&amp;--]]>#r@did:x:<i>/*;",
        "doc:-->|x|`y`#r@did:x:$(a)",
    ]
    .iter()
    .map(|text| text.parse().unwrap())
    .collect();
    for picture in [
        schema(&policy),
        relationships(&policy, &facts, &DrawOptions::default()).unwrap(),
    ] {
        let svg = picture.to_svg();
        let found = elements(&svg).unwrap();
        assert!(
            found.iter().all(|(name, _)| [
                "svg", "title", "desc", "style", "rect", "path", "circle", "text", "g"
            ]
            .contains(&name.as_str())),
            "{found:?}"
        );
        let chart = picture.to_mermaid();
        assert!(
            !chart.contains("<script") && !chart.contains('\u{1}') && !chart.contains('\u{202e}'),
            "{chart}"
        );
        for line in chart
            .lines()
            .skip(3)
            .filter(|line| !line.trim_start().starts_with("acc"))
        {
            assert!(
                line.matches('"').count() % 2 == 0 && !line.contains('`') && !line.contains("%%"),
                "{line}"
            );
        }
    }
}

#[test]
fn a_page_of_html_can_hold_several_drawings() {
    let picture = schema(&documents());
    let embedded = picture.to_svg_with(SvgOptions {
        embedded: true,
        ..Default::default()
    });
    assert!(embedded.starts_with("<svg ") && picture.to_svg().ends_with(&embedded));
    let other = schema(&policy("resources:\n a:\n")).to_svg();
    let id = |svg: &str| {
        svg.split("aria-labelledby=\"")
            .nth(1)
            .unwrap()
            .split(' ')
            .next()
            .map(String::from)
    };
    assert_ne!(id(&embedded), id(&other));
    let style = embedded
        .split("<style>")
        .nth(1)
        .unwrap()
        .split("</style>")
        .next()
        .unwrap();
    for line in style
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('@') && *line != "}")
    {
        assert!(
            line.split('{')
                .next()
                .unwrap()
                .split(", ")
                .all(|one| one.starts_with(".holdfast-drawing ")),
            "{line}"
        );
    }
}
