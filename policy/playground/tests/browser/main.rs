//! The page in a headless Chromium: what is typed is answered, drawn and marked; what goes wrong is
//! survived; nothing leaves the page.
//!
//! Without a Chromium the page is built all the same, and the rest says `skipped`. Where
//! `HOLDFAST_SCREENSHOTS` names a folder, pictures of the page are put there.

#[path = "../../examples/page/assemble.rs"]
mod assemble;
mod devtools;
mod story;

#[test]
fn the_page_answers_in_a_browser() {
    let page = assemble::build().expect("the page builds");
    let bytes = std::fs::metadata(&page).expect("the page is there").len();
    assert!(bytes < 1_500_000, "the page has grown to {bytes} bytes");
    let Some(program) = devtools::installed() else {
        println!("skipped: playground in a browser (no chromium on this machine)");
        return;
    };
    let address = format!("file://{}", page.display());
    let mut browser = devtools::Browser::start(&program, 1280, 860);
    story::play(&mut browser, &address);
}
