//! What functions do: a random statement after the other.

use super::{Generator, Loose, SAME};
use crate::values::{ELEMENTS, SCALARS, Scalar, Type, Variable};

impl Generator {
    /// Statements in a block of their own, whose variables end with it.
    pub(super) fn block(&mut self, statements: u64) {
        let (scope, arrays) = (self.values.scope.len(), self.values.arrays.len());
        for _ in 0..statements {
            self.statement();
        }
        self.values.scope.truncate(scope);
        self.values.arrays.truncate(arrays);
    }

    pub(super) fn statement(&mut self) {
        if self.room == 0 {
            return self.assign();
        }
        self.room -= 1;
        let nested = self.nesting > 3;
        match self.random().below(20) {
            0 | 1 => self.assign(),
            2 => self.declare(),
            3 => self.line("point();"),
            4..=7 => self.call(),
            8 => self.loose_call(),
            9 => self.variadic_call(),
            10 => self.sorted(),
            11 if !nested => self.counted_loop(),
            12 if !nested => self.conditional(),
            13 if !nested => self.choice(),
            14 | 15 if !nested => self.array(),
            16 if !nested => self.place(),
            17 => self.jump(),
            18 => self.line("send_self();"),
            _ => self.spin(),
        }
    }

    fn assign(&mut self) {
        if self.random().once_in(4) {
            let at = self.values.random.index(self.values.arrays.len());
            if let Some((name, ty)) = self.values.arrays.get(at).cloned() {
                let (index, value) = (self.values.element(), self.values.scalar(ty, 2));
                return self.line(&format!("{name}[{index}] = {value};"));
            }
        }
        let at = self.values.random.index(self.values.scope.len());
        match self.values.scope.get(at).cloned() {
            Some(Variable {
                name,
                ty,
                writable: true,
            }) => {
                let value = self.values.value(ty);
                self.line(&format!("{name} = {value};"));
            }
            _ => self.declare(),
        }
    }

    /// A call of one of the functions, directly or through its table.
    pub(super) fn call(&mut self) {
        let kind = self.values.random.index(self.signatures.len());
        let Some(signature) = self.signatures.get(kind).cloned() else {
            return;
        };
        let out = signature.out.map(|ty| {
            let value = self.values.scalar(ty, 1);
            self.bind(Type::Scalar(ty), &value)
        });
        let mut arguments = vec!["depth - 1".to_owned()];
        for &ty in &signature.params {
            arguments.push(self.values.value(ty));
        }
        arguments.extend(out.map(|name| format!("&{name}")));
        let function = if self.random().once_in(2) {
            format!("f{kind}_{}", self.random().below(SAME))
        } else {
            format!("t{kind}[{} % {SAME}]", self.values.scalar(Scalar::U32, 1))
        };
        self.bind(
            signature.result,
            &format!("{function}({})", arguments.join(", ")),
        );
    }

    /// A call through a pointer with more parameters, without the result, or both.
    fn loose_call(&mut self) {
        let at = self.values.random.index(self.loose.len());
        let Some(Loose { result, params }) = self.loose.get(at) else {
            return;
        };
        let (result, mut params) = (*result, params.clone());
        for _ in 0..self.random().below(3) {
            let more = self.random().pick(&SCALARS);
            params.push(more);
        }
        let types: Vec<String> = params.iter().map(Scalar::to_string).collect();
        let types = if types.is_empty() {
            "void".to_owned()
        } else {
            types.join(", ")
        };
        let arguments: Vec<String> = params.iter().map(|&ty| self.values.scalar(ty, 1)).collect();
        let arguments = arguments.join(", ");
        if self.random().once_in(2) {
            self.line(&format!("((void (*)({types}))loose[{at}])({arguments});"));
        } else {
            self.bind(
                Type::Scalar(result),
                &format!("(({result} (*)({types}))loose[{at}])({arguments})"),
            );
        }
    }

    fn variadic_call(&mut self) {
        let mut kinds = String::new();
        let mut arguments = String::new();
        for _ in 0..self.random().within(1, 9) {
            let (letter, ty) =
                self.random()
                    .pick(&[('i', Scalar::I32), ('l', Scalar::I64), ('d', Scalar::F64)]);
            kinds.push(letter);
            arguments += &format!(", {}", self.values.scalar(ty, 1));
        }
        self.bind(
            Type::Scalar(Scalar::U64),
            &format!("variadic(\"{kinds}\"{arguments})"),
        );
    }

    fn sorted(&mut self) {
        let (name, count) = (self.new_name("a"), self.random().within(3, 12));
        self.line(&format!("u32 {name}[{ELEMENTS}] = {{ 0 }};"));
        self.values.arrays.push((name.clone(), Scalar::U32));
        for i in 0..count {
            let value = self.values.scalar(Scalar::U32, 1);
            self.line(&format!("{name}[{i}] = {value};"));
        }
        self.line(&format!("sort({name}, {count});"));
        let key = self.new_name("k");
        let at = self.random().below(count);
        self.line(&format!("u32 {key} = {name}[{at}];"));
        self.line(&format!(
            "mix(bsearch(&{key}, {name}, {count}, sizeof {key}, compare) != NULL);"
        ));
    }

    fn counted_loop(&mut self) {
        let (name, count) = (self.new_name("i"), self.random().within(1, 5));
        self.open(&format!(
            "for (u32 {name} = 0; {name} < {count}; {name}++) {{"
        ));
        let scope = self.values.scope.len();
        self.values.scope.push(Variable {
            name,
            ty: Type::Scalar(Scalar::U32),
            writable: false,
        });
        let statements = self.random().within(1, 3);
        self.block(statements);
        self.values.scope.truncate(scope);
        self.close();
    }

    /// A loop without calls.
    fn spin(&mut self) {
        let (name, index) = (self.new_name("s"), self.new_name("i"));
        let start = self.values.scalar(Scalar::U64, 1);
        self.line(&format!("u64 {name} = {start};"));
        let (count, shift) = (self.random().within(10, 2000), self.random().within(1, 60));
        let factor = self.random().next() | 1;
        self.line(&format!(
            "for (u32 {index} = 0; {index} < {count}; {index}++)"
        ));
        self.line(&format!(
            "\t{name} = ({name} ^ ({name} >> {shift})) * {factor}u + {index};"
        ));
        self.values.scope.push(Variable {
            name,
            ty: Type::Scalar(Scalar::U64),
            writable: true,
        });
    }

    fn conditional(&mut self) {
        let condition = self.values.condition(1);
        self.open(&format!("if {condition} {{"));
        let statements = self.random().within(1, 2);
        self.block(statements);
        self.nesting -= 1;
        self.open("} else {");
        let statements = self.random().within(1, 2);
        self.block(statements);
        self.close();
    }

    fn choice(&mut self) {
        let (value, count) = (
            self.values.scalar(Scalar::U32, 1),
            self.random().within(2, 5),
        );
        self.open(&format!("switch ({value} % {}) {{", count + 1));
        for i in 0..count {
            self.nesting -= 1;
            self.open(&format!("case {i}: {{"));
            self.block(1);
            self.line("break;");
            self.close();
            self.nesting += 1;
        }
        self.close();
    }

    /// An array of variable size on the stack, or on the heap, for some statements.
    fn array(&mut self) {
        let (name, size, index) = (self.new_name("a"), self.new_name("n"), self.new_name("i"));
        let ty = self.random().pick(&SCALARS);
        let value = self.values.scalar(Scalar::U32, 1);
        self.open("{");
        self.line(&format!("u32 {size} = {ELEMENTS} + {value} % 100;"));
        let on_heap = match self.random().below(3) {
            0 => {
                self.line(&format!("{ty} {name}[{size}];"));
                false
            }
            1 => {
                self.line(&format!("{ty} *{name} = alloca({size} * sizeof *{name});"));
                false
            }
            _ => {
                self.line(&format!("{ty} *{name} = malloc({size} * sizeof *{name});"));
                true
            }
        };
        let factor = self.random().below(1000);
        self.line(&format!(
            "for (u32 {index} = 0; {index} < {size}; {index}++)"
        ));
        self.line(&format!("\t{name}[{index}] = ({ty})({index} * {factor}u);"));
        let arrays = self.values.arrays.len();
        self.values.arrays.push((name.clone(), ty));
        let statements = self.random().within(1, 3);
        self.block(statements);
        self.values.arrays.truncate(arrays);
        self.line(&format!(
            "for (u32 {index} = 0; {index} < {size}; {index}++)"
        ));
        self.nesting += 1;
        self.mix(&format!("{name}[{index}]"), Type::Scalar(ty));
        self.nesting -= 1;
        if on_heap {
            self.line(&format!("free({name});"));
        }
        self.close();
    }

    /// A place of setjmp, for the calls below it. What is written after it is volatile, as C demands.
    fn place(&mut self) {
        let (place, outer, tries) = (
            self.new_name("place"),
            self.new_name("outer"),
            self.new_name("tries"),
        );
        let mask = self.random().below(2);
        self.open("{");
        self.line(&format!("sigjmp_buf {place};"));
        self.line(&format!("sigjmp_buf *volatile {outer} = jump_target;"));
        self.line(&format!("volatile u32 {tries} = 0;"));
        self.open(&format!("if (sigsetjmp({place}, {mask}) == 0) {{"));
        self.line(&format!("jump_target = &{place};"));
        self.place_body();
        self.nesting -= 1;
        self.open("} else {");
        self.line(&format!("{tries} = {tries} + 1;"));
        self.line(&format!("jump_target = {outer};"));
        self.line("point();");
        self.close();
        self.line(&format!("jump_target = {outer};"));
        self.line(&format!("mix({tries});"));
        self.close();
    }

    /// Calls whose results go into variables of their own: the function's may not change between setjmp and longjmp.
    fn place_body(&mut self) {
        let (scope, arrays) = (self.values.scope.len(), self.values.arrays.len());
        for _ in 0..2 {
            match self.random().below(4) {
                0 => self.variadic_call(),
                1 => self.loose_call(),
                _ => self.call(),
            }
            if let Some(Variable { name, ty, .. }) = self.values.scope.last().cloned()
                && self.values.scope.len() > scope
            {
                self.mix(&name, ty);
            }
        }
        self.jump();
        self.values.scope.truncate(scope);
        self.values.arrays.truncate(arrays);
    }

    fn jump(&mut self) {
        let condition = self.values.condition(1);
        self.line(&format!("if (jump_target != NULL && {condition})"));
        self.line("\tsiglongjmp(*jump_target, 1);");
    }
}
