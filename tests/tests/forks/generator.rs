//! Random C programs that compute a checksum in many calls.
//!
//! Functions of random signatures call each other, directly, through pointers and through pointers of another type, from
//! loops, below qsort, bsearch, signal handlers and places of setjmp, with arrays of variable size on the stack. Calls are
//! statements of their own, so nothing depends on an order that C leaves open.

mod statements;

use std::fmt::Write as _;

use crate::random::Random;
use crate::values::{ELEMENTS, SCALARS, Scalar, Type, Values, Variable};

/// What a function takes and gives; a program has few of them, so that tables of functions have several entries.
#[derive(Debug, Clone)]
struct Signature {
    result: Type,
    params: Vec<Type>,
    /// A last parameter that points to a variable of the caller.
    out: Option<Scalar>,
}

impl Signature {
    /// The declaration of something with this signature, e.g. a function's name or `(*name)`.
    fn declare(&self, name: &str) -> String {
        let mut params = vec!["u32 depth".to_owned()];
        params.extend(
            self.params
                .iter()
                .enumerate()
                .map(|(i, ty)| format!("{ty} p{i}")),
        );
        params.extend(self.out.map(|ty| format!("{ty} *out")));
        format!("{} {name}({})", self.result, params.join(", "))
    }
}

/// A function that is called through pointers of another type.
struct Loose {
    result: Scalar,
    params: Vec<Scalar>,
}

struct Generator {
    values: Values,
    signatures: Vec<Signature>,
    loose: Vec<Loose>,
    text: String,
    /// Names made so far.
    names: u32,
    /// Blocks that the present statement is in.
    nesting: usize,
    /// Statements that the present function may still have.
    room: u32,
}

/// Functions of each signature: as many as a table's index has values.
const SAME: u64 = 4;
const GLOBALS: usize = 8;

/// The program of a seed.
pub(crate) fn generate(seed: u64) -> String {
    let mut random = Random::new(seed);
    let structs = (0..3)
        .map(|_| {
            (0..random.within(1, 6))
                .map(|_| random.pick(&SCALARS))
                .collect()
        })
        .collect();
    let values = Values {
        random,
        structs,
        scope: Vec::new(),
        arrays: Vec::new(),
    };
    let mut generator = Generator {
        values,
        signatures: Vec::new(),
        loose: Vec::new(),
        text: format!("/* Generated from seed {seed}. */\n#include \"points.h\"\n\n"),
        names: 0,
        nesting: 0,
        room: 0,
    };
    generator.program();
    generator.text
}

impl Generator {
    fn random(&mut self) -> &mut Random {
        &mut self.values.random
    }

    fn line(&mut self, text: &str) {
        let indent = "\t".repeat(self.nesting);
        let _ = writeln!(self.text, "{indent}{text}");
    }

    fn open(&mut self, text: &str) {
        self.line(text);
        self.nesting += 1;
    }

    fn close(&mut self) {
        self.nesting -= 1;
        self.line("}");
    }

    fn new_name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    fn program(&mut self) {
        self.structures();
        self.globals();
        for _ in 0..self.random().within(3, 5) {
            let params = (0..self.random().below(7))
                .map(|_| self.values.any_type())
                .collect();
            let signature = Signature {
                result: self.values.any_type(),
                params,
                out: self
                    .random()
                    .once_in(3)
                    .then(|| self.values.random.pick(&SCALARS)),
            };
            self.signatures.push(signature);
        }
        self.tables();
        self.loose_functions();
        for kind in 0..self.signatures.len() {
            for one in 0..SAME {
                self.function(kind, one);
            }
        }
        self.main_part();
    }

    fn structures(&mut self) {
        for (i, members) in self.values.structs.clone().into_iter().enumerate() {
            self.open(&format!("struct s{i} {{"));
            for (j, member) in members.into_iter().enumerate() {
                self.line(&format!("{member} m{j};"));
            }
            self.nesting -= 1;
            self.line("};\n");
        }
    }

    fn globals(&mut self) {
        for i in 0..GLOBALS {
            let ty = self.values.any_type();
            let name = format!("g{i}");
            self.line(&format!("static {ty} {name};"));
            self.values.scope.push(Variable {
                name,
                ty,
                writable: true,
            });
        }
        for i in 0..3 {
            let (name, ty) = (format!("ga{i}"), self.random().pick(&SCALARS));
            self.line(&format!("static {ty} {name}[{ELEMENTS}];"));
            self.values.arrays.push((name, ty));
        }
        self.line("");
    }

    /// Declares all functions, and a table for each signature.
    fn tables(&mut self) {
        for (kind, signature) in self.signatures.clone().iter().enumerate() {
            let names: Vec<String> = (0..SAME).map(|one| format!("f{kind}_{one}")).collect();
            for name in &names {
                let how = self.random().pick(&["static ", "static FAR ", ""]);
                self.line(&format!("{how}{};", signature.declare(name)));
            }
            let table = signature.declare(&format!("(*volatile t{kind}[{SAME}])"));
            self.line(&format!("static {table} = {{ {} }};\n", names.join(", ")));
        }
    }

    fn loose_functions(&mut self) {
        let count = self.random().within(2, 4);
        let mut names = Vec::new();
        for i in 0..count {
            let (result, params) = (
                self.random().pick(&SCALARS),
                (0..self.random().below(4))
                    .map(|_| self.values.random.pick(&SCALARS))
                    .collect::<Vec<_>>(),
            );
            let list: Vec<String> = params
                .iter()
                .enumerate()
                .map(|(j, ty)| format!("{ty} p{j}"))
                .collect();
            let list = if list.is_empty() {
                "void".to_owned()
            } else {
                list.join(", ")
            };
            names.push(format!("(void (*)(void))l{i}"));
            self.open(&format!("static FAR {result} l{i}({list})\n{{"));
            let scope = self.values.scope.len();
            for (j, &ty) in params.iter().enumerate() {
                self.values.scope.push(Variable {
                    name: format!("p{j}"),
                    ty: Type::Scalar(ty),
                    writable: true,
                });
            }
            let kept = self.values.scalar(result, 2);
            self.line(&format!("{result} kept = {kept};"));
            self.line("point();");
            for (j, &ty) in params.iter().enumerate() {
                self.mix(&format!("p{j}"), Type::Scalar(ty));
            }
            self.line("return kept;");
            self.close();
            self.values.scope.truncate(scope);
            self.loose.push(Loose { result, params });
        }
        self.line(&format!(
            "static void (*volatile loose[])(void) = {{ {} }};\n",
            names.join(", ")
        ));
    }

    fn function(&mut self, kind: usize, one: u64) {
        let Some(signature) = self.signatures.get(kind).cloned() else {
            return;
        };
        self.open(&format!(
            "{}\n{{",
            signature.declare(&format!("f{kind}_{one}"))
        ));
        let (scope, arrays) = (self.values.scope.len(), self.values.arrays.len());
        for (i, &ty) in signature.params.iter().enumerate() {
            self.values.scope.push(Variable {
                name: format!("p{i}"),
                ty,
                writable: true,
            });
        }
        let early = self.values.value(signature.result);
        self.line("if (depth == 0 || !spend())");
        self.line(&format!("\treturn {early};"));
        for _ in 0..self.random().within(2, 6) {
            self.declare();
        }
        self.room = 10;
        for _ in 0..self.random().within(2, 4) {
            self.statement();
        }
        // A call that is alive below everything that the function has computed.
        self.call();
        let count = self.values.scope.len();
        for at in scope..count {
            if self.random().once_in(3) {
                continue;
            }
            if let Some(Variable { name, ty, .. }) = self.values.scope.get(at).cloned() {
                self.mix(&name, ty);
            }
        }
        if let Some(ty) = signature.out {
            let value = self.values.scalar(ty, 2);
            self.line(&format!("*out = {value};"));
        }
        let result = self.values.value(signature.result);
        self.line(&format!("return {result};"));
        self.close();
        self.line("");
        self.values.scope.truncate(scope);
        self.values.arrays.truncate(arrays);
    }

    fn main_part(&mut self) {
        self.open("static void program(void)\n{");
        let rounds = self.random().within(4, 12);
        self.open(&format!(
            "for (u32 round = 0; round < {rounds}; round++) {{"
        ));
        let (depth, calls) = (self.random().within(4, 60), self.random().within(100, 500));
        self.line(&format!("u32 depth = {depth} + round;"));
        self.line(&format!("fuel = {calls};"));
        for _ in 0..4 {
            let scope = self.values.scope.len();
            self.call();
            let made = self.values.scope.get(scope).cloned();
            if let Some(Variable { name, ty, .. }) = made {
                self.mix(&name, ty);
            }
        }
        self.close();
        for i in 0..GLOBALS {
            if let Some(Variable { name, ty, .. }) = self.values.scope.get(i).cloned() {
                self.mix(&name, ty);
            }
        }
        for (name, ty) in self.values.arrays.clone() {
            self.open(&format!("for (u32 i = 0; i < {ELEMENTS}; i++) {{"));
            self.mix(&format!("{name}[i]"), Type::Scalar(ty));
            self.close();
        }
        self.close();
    }

    /// Adds a value to the checksum.
    fn mix(&mut self, name: &str, ty: Type) {
        match ty {
            Type::Scalar(ty) => self.mix_scalar(name, ty),
            Type::U32x4 => {
                (0..4).for_each(|at| self.mix_scalar(&format!("{name}[{at}]"), Scalar::U32))
            }
            Type::F64x2 => {
                (0..2).for_each(|at| self.mix_scalar(&format!("{name}[{at}]"), Scalar::F64))
            }
            Type::Struct(index) => {
                let members = self.values.structs.get(index).cloned().unwrap_or_default();
                for (i, member) in members.into_iter().enumerate() {
                    self.mix_scalar(&format!("{name}.m{i}"), member);
                }
            }
        }
    }

    fn mix_scalar(&mut self, name: &str, ty: Scalar) {
        match ty {
            Scalar::F32 | Scalar::F64 => self.line(&format!("mix_double({name});")),
            _ => self.line(&format!("mix((u64){name});")),
        }
    }

    /// A new local variable.
    fn declare(&mut self) {
        let ty = self.values.any_type();
        let value = self.values.value(ty);
        self.bind(ty, &value);
    }

    fn bind(&mut self, ty: Type, value: &str) -> String {
        let name = self.new_name("v");
        self.line(&format!("{ty} {name} = {value};"));
        self.values.scope.push(Variable {
            name: name.clone(),
            ty,
            writable: true,
        });
        name
    }
}
