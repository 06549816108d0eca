//! Reads rewrites from JSON.

use alloc::{boxed::Box, format, vec::Vec};

use serde_json::Value;

use super::{
    json_reader::JsonReader,
    model::{Rewrite, Word},
};
use crate::limits::{EXPRESSION_DEPTH_MAX, EXPRESSION_OPERANDS_MAX};

impl JsonReader {
    pub(super) fn rewrite(
        &mut self,
        value: &Value,
        path: &str,
        depth: usize,
        operands: &mut usize,
    ) -> Option<Rewrite> {
        *operands += 1;
        if depth > EXPRESSION_DEPTH_MAX || *operands > 2 * EXPRESSION_OPERANDS_MAX {
            self.report(format!(
                "{path} has more than {EXPRESSION_OPERANDS_MAX} operands or nests deeper than \
                 {EXPRESSION_DEPTH_MAX} levels; split it"
            ));
            return None;
        }
        let object = self.object(value, path)?;
        let mut fields = object.iter();
        let (Some((key, value)), None) = (fields.next(), fields.next()) else {
            self.report(format!(
                "{path} needs exactly one of this, computedUserset, tupleToUserset, union, \
                 intersection, difference"
            ));
            return None;
        };
        let path = format!("{path}.{key}");
        match key.as_str() {
            "this" => self.object(value, &path).map(|_| Rewrite::Assigned),
            "computedUserset" | "computed_userset" => {
                self.object_relation(value, &path).map(Rewrite::Computed)
            }
            "tupleToUserset" | "tuple_to_userset" => self.from(value, &path),
            "union" => self
                .children(value, &path, depth, operands)
                .map(Rewrite::Union),
            "intersection" => self
                .children(value, &path, depth, operands)
                .map(Rewrite::Intersection),
            "difference" => {
                let (mut base, mut subtracted) = (None, None);
                for (key, value) in self.object(value, &path)? {
                    let side = match key.as_str() {
                        "base" => &mut base,
                        "subtract" => &mut subtracted,
                        _ => {
                            self.unknown(key, &path);
                            continue;
                        }
                    };
                    *side =
                        Some(self.rewrite(value, &format!("{path}.{key}"), depth + 1, operands)?);
                }
                if base.is_none() || subtracted.is_none() {
                    self.report(format!("{path} needs \"base\" and \"subtract\""));
                }
                Some(Rewrite::Difference(Box::new(base?), Box::new(subtracted?)))
            }
            _ => {
                self.unknown(key, &path);
                None
            }
        }
    }

    fn children(
        &mut self,
        value: &Value,
        path: &str,
        depth: usize,
        operands: &mut usize,
    ) -> Option<Vec<Rewrite>> {
        let mut children = Vec::new();
        for (key, value) in self.object(value, path)? {
            if key != "child" {
                self.unknown(key, path);
                continue;
            }
            for (at, value) in self
                .list(value, &format!("{path}.child"))
                .iter()
                .enumerate()
            {
                let path = format!("{path}.child[{at}]");
                children.push(self.rewrite(value, &path, depth + 1, operands)?);
            }
        }
        if children.is_empty() {
            self.report(format!("{path} needs at least one \"child\""));
            return None;
        }
        Some(children)
    }

    fn from(&mut self, value: &Value, path: &str) -> Option<Rewrite> {
        let (mut relation, mut tupleset) = (None, None);
        for (key, value) in self.object(value, path)? {
            let path = format!("{path}.{key}");
            match key.as_str() {
                "tupleset" => tupleset = self.object_relation(value, &path),
                "computedUserset" | "computed_userset" => {
                    relation = self.object_relation(value, &path);
                }
                _ => self.unknown(key, &path),
            }
        }
        if relation.is_none() || tupleset.is_none() {
            self.report(format!("{path} needs \"tupleset\" and \"computedUserset\""));
        }
        Some(Rewrite::From {
            relation: relation?,
            tupleset: tupleset?,
        })
    }

    /// `{"relation": …}`; an `object` may stand beside it and is empty in a model.
    fn object_relation(&mut self, value: &Value, path: &str) -> Option<Word> {
        let mut relation = None;
        for (key, value) in self.object(value, path)? {
            match key.as_str() {
                "relation" => relation = self.text(value, &format!("{path}.relation")),
                "object" if value.as_str() == Some("") => {}
                _ => self.unknown(key, path),
            }
        }
        if relation.is_none() {
            self.report(format!("{path} needs a \"relation\""));
        }
        relation.map(Word::new)
    }
}
