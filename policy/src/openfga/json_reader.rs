//! Reads the values of a model in JSON, and says with their paths which are not of their form.

use alloc::{format, string::String, vec::Vec};

use serde_json::{Map, Value};

use super::error::{Class, Error};
use crate::{limits::OPENFGA_ERRORS_MAX, name::excerpt};

#[derive(Default)]
pub(super) struct JsonReader {
    pub(super) errors: Vec<Error>,
}

impl JsonReader {
    pub(super) fn report(&mut self, message: String) {
        if self.errors.len() < OPENFGA_ERRORS_MAX {
            self.errors.push(Error::new(None, Class::Form, message));
        }
    }

    pub(super) fn unknown(&mut self, key: &str, path: &str) {
        self.report(format!("{path}: {:?} is unknown; remove it", excerpt(key)));
    }

    pub(super) fn object<'a>(
        &mut self,
        value: &'a Value,
        path: &str,
    ) -> Option<&'a Map<String, Value>> {
        let object = value.as_object();
        if object.is_none() {
            self.report(format!("{path} is no object; write {{…}}"));
        }
        object
    }

    pub(super) fn object_or_null<'a>(
        &mut self,
        value: &'a Value,
        path: &str,
    ) -> impl Iterator<Item = (&'a String, &'a Value)> {
        let object = if value.is_null() {
            None
        } else {
            self.object(value, path)
        };
        object.into_iter().flatten()
    }

    pub(super) fn list<'a>(&mut self, value: &'a Value, path: &str) -> &'a [Value] {
        if value.is_null() {
            return &[];
        }
        let list = value.as_array();
        if list.is_none() {
            self.report(format!("{path} is no list; write […]"));
        }
        list.map_or(&[], Vec::as_slice)
    }

    pub(super) fn text(&mut self, value: &Value, path: &str) -> Option<String> {
        let text = value.as_str().map(Into::into);
        if text.is_none() {
            self.report(format!("{path} is no text; put it into quotes"));
        }
        text
    }
}
