//! Holdfast: `audit`.
