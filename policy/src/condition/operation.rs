//! What a compiled condition is made of: operations that name their operands by index, each operand
//! before the operation that needs it. The last one is the condition's value.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::net::IpAddr;

use super::{duration::Duration, Double};
use crate::time::Time;

/// Index of an operation. At most one for every byte of the text.
pub(super) type OperationId = u16;

/// Index of a parameter in its condition, and its bit in a [`Parameters`].
pub(super) type ParameterId = u8;

/// A set of parameters, one bit for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters(pub u32);

impl Parameters {
    pub(super) fn one(id: ParameterId) -> Self {
        Self(1u32.checked_shl(id.into()).unwrap_or(0))
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn contains(self, id: ParameterId) -> bool {
        self.0 & Self::one(id).0 != 0
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Constant(Constant),
    Parameter(ParameterId),
    /// The variable of a macro, counted from the outermost.
    Variable(u8),
    Not(OperationId),
    Negate(OperationId),
    All(Vec<OperationId>),
    Any(Vec<OperationId>),
    Choice {
        condition: OperationId,
        then: OperationId,
        otherwise: OperationId,
    },
    Compare(Comparison, OperationId, OperationId),
    /// The clock compared with a timestamp, the clock on the left.
    CompareClock(Comparison, OperationId),
    In(OperationId, OperationId),
    Compute(Arithmetic, OperationId, OperationId),
    Index(OperationId, OperationId),
    Select(OperationId, String),
    Has(OperationId, String),
    List(Vec<OperationId>),
    /// Keys and values.
    Map(Vec<(OperationId, OperationId)>),
    /// A function of one value, and of a second one where it takes one.
    Call(Function, OperationId, Option<OperationId>),
    Macro(Box<Macro>),
}

/// A macro over a list, or over the keys of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Macro {
    pub kind: MacroKind,
    pub range: OperationId,
    /// The predicate; none for `map` with one argument.
    pub predicate: Option<OperationId>,
    /// What `map` makes of each entry.
    pub transform: Option<OperationId>,
    /// The parameters that predicate and transform name.
    pub mentions: Parameters,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MacroKind {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Constant {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(Double),
    String(String),
    Bytes(Vec<u8>),
    Timestamp(Time),
    Duration(Duration),
    IpAddress(IpAddr),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    pub(super) const fn is_order(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }

    /// The same comparison with its operands exchanged.
    pub(super) const fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }

    /// Whether it holds between operands that lie in this order.
    pub(super) fn holds(self, ordering: core::cmp::Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Arithmetic {
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Size,
    ToInt,
    ToUint,
    ToString,
    ToTimestamp,
    ToDuration,
    ToIpAddress,
    StartsWith,
    EndsWith,
    Contains,
    InCidr,
    IsSubtreeOf,
    Get(Part),
}

/// What an accessor reads from a timestamp or duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    FullYear,
    Month,
    Date,
    DayOfMonth,
    DayOfWeek,
    DayOfYear,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

impl Function {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::ToInt => "int",
            Self::ToUint => "uint",
            Self::ToString => "string",
            Self::ToTimestamp => "timestamp",
            Self::ToDuration => "duration",
            Self::ToIpAddress => "ipaddress",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::Contains => "contains",
            Self::InCidr => "in_cidr",
            Self::IsSubtreeOf => "isSubtreeOf",
            Self::Get(part) => match part {
                Part::FullYear => "getFullYear",
                Part::Month => "getMonth",
                Part::Date => "getDate",
                Part::DayOfMonth => "getDayOfMonth",
                Part::DayOfWeek => "getDayOfWeek",
                Part::DayOfYear => "getDayOfYear",
                Part::Hours => "getHours",
                Part::Minutes => "getMinutes",
                Part::Seconds => "getSeconds",
                Part::Milliseconds => "getMilliseconds",
            },
        }
    }

    /// The functions that are written before their argument.
    pub(super) const GLOBAL: [Self; 7] = [
        Self::Size,
        Self::ToInt,
        Self::ToUint,
        Self::ToString,
        Self::ToTimestamp,
        Self::ToDuration,
        Self::ToIpAddress,
    ];

    /// The functions that are written behind their first argument.
    pub(super) const METHODS: [Self; 16] = [
        Self::Size,
        Self::StartsWith,
        Self::EndsWith,
        Self::Contains,
        Self::InCidr,
        Self::IsSubtreeOf,
        Self::Get(Part::FullYear),
        Self::Get(Part::Month),
        Self::Get(Part::Date),
        Self::Get(Part::DayOfMonth),
        Self::Get(Part::DayOfWeek),
        Self::Get(Part::DayOfYear),
        Self::Get(Part::Hours),
        Self::Get(Part::Minutes),
        Self::Get(Part::Seconds),
        Self::Get(Part::Milliseconds),
    ];
}
