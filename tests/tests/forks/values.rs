//! Types of generated programs, and expressions without side effects.
//!
//! Everything is defined by C and means the same natively and under lind: integers wrap in unsigned types, shifts and
//! divisors are in range, floating point is never converted where it does not fit, NaNs are not told apart.

use std::fmt;

use crate::random::Random;

/// A number's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
}

use Scalar::{F32, F64, I32, I64, U32, U64};

pub(crate) const SCALARS: [Scalar; 6] = [I32, U32, I64, U64, F32, F64];

impl Scalar {
    /// The unsigned integer of the same size.
    fn unsigned(self) -> Self {
        match self {
            I32 | U32 | F32 => U32,
            I64 | U64 | F64 => U64,
        }
    }

    fn bits(self) -> u32 {
        match self {
            I32 | U32 | F32 => 32,
            I64 | U64 | F64 => 64,
        }
    }

    fn is_float(self) -> bool {
        matches!(self, F32 | F64)
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            I32 => "i32",
            U32 => "u32",
            I64 => "i64",
            U64 => "u64",
            F32 => "f32",
            F64 => "f64",
        })
    }
}

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Scalar(Scalar),
    /// One of the program's structures.
    Struct(usize),
    U32x4,
    F64x2,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(scalar) => scalar.fmt(f),
            Self::Struct(index) => write!(f, "struct s{index}"),
            Self::U32x4 => f.write_str("u32x4"),
            Self::F64x2 => f.write_str("f64x2"),
        }
    }
}

/// Something that an expression can name.
#[derive(Debug, Clone)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) ty: Type,
    pub(crate) writable: bool,
}

/// Elements of each global array and of each local one, at least; all indices are taken modulo this.
pub(crate) const ELEMENTS: u64 = 16;

/// What expressions are made of.
pub(crate) struct Values {
    pub(crate) random: Random,
    pub(crate) structs: Vec<Vec<Scalar>>,
    /// What is in scope, the innermost last.
    pub(crate) scope: Vec<Variable>,
    /// Arrays in scope: names and elements' types.
    pub(crate) arrays: Vec<(String, Scalar)>,
}

impl Values {
    pub(crate) fn any_type(&mut self) -> Type {
        match self.random.below(10) {
            0 | 1 => Type::Struct(self.random.index(self.structs.len())),
            2 => self.random.pick(&[Type::U32x4, Type::F64x2]),
            _ => Type::Scalar(self.random.pick(&SCALARS)),
        }
    }

    /// An expression of a type.
    pub(crate) fn value(&mut self, ty: Type) -> String {
        if self.random.once_in(2)
            && let Some(name) = self.name_of(ty)
        {
            return name;
        }
        match ty {
            Type::Scalar(scalar) => self.scalar(scalar, 3),
            Type::Struct(index) => {
                let members = self.structs.get(index).cloned().unwrap_or_default();
                let values: Vec<String> = members
                    .iter()
                    .map(|&member| self.scalar(member, 1))
                    .collect();
                format!("(struct s{index}){{ {} }}", values.join(", "))
            }
            Type::U32x4 => self.vector(ty, U32, 4, &["+", "-", "*", "^", "&"]),
            Type::F64x2 => self.vector(ty, F64, 2, &["+", "-", "*"]),
        }
    }

    fn vector<const N: usize>(
        &mut self,
        ty: Type,
        lane: Scalar,
        lanes: usize,
        operators: &[&str; N],
    ) -> String {
        let lanes: Vec<String> = (0..lanes).map(|_| self.scalar(lane, 1)).collect();
        let literal = format!("(({ty}){{ {} }})", lanes.join(", "));
        match self.name_of(ty) {
            Some(name) => format!("({name} {} {literal})", self.random.pick(operators)),
            None => literal,
        }
    }

    /// A variable of this very type.
    fn name_of(&mut self, ty: Type) -> Option<String> {
        let fitting: Vec<usize> = (0..self.scope.len())
            .filter(|&at| self.scope.get(at).is_some_and(|variable| variable.ty == ty))
            .collect();
        if fitting.is_empty() {
            return None;
        }
        let at = fitting.get(self.random.index(fitting.len())).copied()?;
        self.scope.get(at).map(|variable| variable.name.clone())
    }

    /// A number that is at most `depth` operators deep.
    pub(crate) fn scalar(&mut self, ty: Scalar, depth: u32) -> String {
        if depth == 0 || self.random.once_in(4) {
            return self.leaf(ty);
        }
        let (a, b) = (self.scalar(ty, depth - 1), self.scalar(ty, depth - 1));
        if self.random.once_in(6) {
            return format!("({} ? {a} : {b})", self.condition(depth - 1));
        }
        if ty.is_float() {
            let operator = self.random.pick(&["+", "-", "*", "+", "-", "/"]);
            return format!("({a} {operator} {b})");
        }
        let unsigned = ty.unsigned();
        match self.random.below(9) {
            0 => format!("({ty})(({unsigned}){a} / (({unsigned}){b} | 1))"),
            1 => format!("({ty})(({unsigned}){a} % (({unsigned}){b} | 1))"),
            2 => format!(
                "({ty})(({unsigned}){a} << (({unsigned}){b} & {}))",
                ty.bits() - 1
            ),
            3 => format!(
                "({ty})(({unsigned}){a} >> (({unsigned}){b} & {}))",
                ty.bits() - 1
            ),
            _ => {
                let operator = self.random.pick(&["+", "-", "*", "&", "|", "^"]);
                format!("({ty})(({unsigned}){a} {operator} ({unsigned}){b})")
            }
        }
    }

    /// A comparison.
    pub(crate) fn condition(&mut self, depth: u32) -> String {
        let ty = self.random.pick(&SCALARS);
        let operator = self.random.pick(&["<", "<=", "==", "!=", ">"]);
        format!(
            "({} {operator} {})",
            self.scalar(ty, depth),
            self.scalar(ty, depth)
        )
    }

    /// An index into an array.
    pub(crate) fn element(&mut self) -> String {
        format!("{} % {ELEMENTS}", self.scalar(U32, 1))
    }

    fn leaf(&mut self, ty: Scalar) -> String {
        match self.random.below(8) {
            0 => self.constant(ty),
            1 if !self.arrays.is_empty() => {
                let at = self.random.index(self.arrays.len());
                let Some((name, element)) = self.arrays.get(at).cloned() else {
                    return self.constant(ty);
                };
                let index = match self.name_of(Type::Scalar(U32)) {
                    Some(name) => name,
                    None => self.constant(U32),
                };
                convert(&format!("{name}[{index} % {ELEMENTS}]"), element, ty)
            }
            _ => self.variable(ty).unwrap_or_else(|| self.constant(ty)),
        }
    }

    /// What is in scope, converted.
    fn variable(&mut self, ty: Scalar) -> Option<String> {
        if self.scope.is_empty() {
            return None;
        }
        let at = self.random.index(self.scope.len());
        let Variable { name, ty: from, .. } = self.scope.get(at)?.clone();
        Some(match from {
            Type::Scalar(from) => convert(&name, from, ty),
            Type::Struct(index) => {
                let members = self.structs.get(index)?.clone();
                let member = self.random.index(members.len());
                convert(&format!("{name}.m{member}"), *members.get(member)?, ty)
            }
            Type::U32x4 => convert(&format!("{name}[{}]", self.random.below(4)), U32, ty),
            Type::F64x2 => convert(&format!("{name}[{}]", self.random.below(2)), F64, ty),
        })
    }

    fn constant(&mut self, ty: Scalar) -> String {
        const NUMBERS: [u64; 8] = [0, 1, 7, 255, 65_537, 0x7fff_ffff, 0x8000_0000, u64::MAX];
        let number = match self.random.below(3) {
            0 => self.random.pick(&NUMBERS),
            1 => self.random.below(100),
            _ => self.random.next(),
        };
        match ty {
            F32 => format!("{}.{}f", number % 1000, number / 1000 % 100),
            F64 => format!("{}.{}", number % 100_000, number / 100_000 % 1000),
            _ => format!("({ty}){number}u"),
        }
    }
}

/// A number as one of another type.
pub(crate) fn convert(expression: &str, from: Scalar, to: Scalar) -> String {
    if from == to {
        expression.to_owned()
    } else if from.is_float() && !to.is_float() {
        format!("({to})whole({expression})")
    } else {
        format!("({to}){expression}")
    }
}
