//! Classic BPF programs as seccomp(2) takes them: checked once, then run for every system call of a thread.
//!
//! The rules are the kernel's: those of classic BPF, and the instructions that seccomp allows of it
//! (Documentation/networking/filter.rst and Documentation/userspace-api/seccomp_filter.rst of Linux). All jumps go
//! forward, so that a program ends after at most as many steps as it has instructions.

use rawposix_abi::Errno;
use rawposix_abi::structs::SockFilter;

/// `BPF_MAXINSNS`: instructions of a program.
pub(crate) const MAX_INSTRUCTIONS: usize = 4096;

/// Words of `struct seccomp_data`.
const DATA_WORDS: usize = 16;
/// Its size in bytes.
const DATA_SIZE: u32 = 64;
/// Cells of scratch memory.
const CELLS: usize = 16;

/// What a program looks at: `struct seccomp_data` as little-endian words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Data {
    words: [u32; DATA_WORDS],
}

impl Data {
    /// A call: its number, the architecture, and six argument words, which are extended with zeros. There is no
    /// instruction pointer in it: the code of a WebAssembly program has no addresses.
    pub(crate) fn new(number: i32, architecture: u32, arguments: [u32; 6]) -> Self {
        let [a, b, c, d, e, f] = arguments;
        let number = number.cast_unsigned();
        Self {
            words: [
                number,
                architecture,
                0,
                0,
                a,
                0,
                b,
                0,
                c,
                0,
                d,
                0,
                e,
                0,
                f,
                0,
            ],
        }
    }
}

/// The right operand of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operand {
    Constant(u32),
    X,
}

/// What is calculated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alu {
    Add,
    Sub,
    Mul,
    Div,
    Or,
    And,
    Lsh,
    Rsh,
    Xor,
}

/// What decides a jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Equal,
    Greater,
    GreaterOrEqual,
    AnySet,
}

/// A checked instruction. Targets of jumps are places in the program. Small, since a thread may have many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    LoadData(u8),
    Load(u32),
    LoadX(u32),
    LoadCell(u8),
    LoadXCell(u8),
    Store(u8),
    StoreX(u8),
    Calculate(Alu, Operand),
    Negate,
    ToX,
    FromX,
    Jump(u16),
    Branch(Test, Operand, [u16; 2]),
    Return(u32),
    ReturnA,
}

/// A program that has passed the checks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Program {
    steps: Box<[Step]>,
}

const _: () = assert!(size_of::<Step>() <= 16);

impl Program {
    /// Checks a program.
    ///
    /// # Errors
    /// `EINVAL` for what the kernel refuses: no or too many instructions, unknown ones, jumps out of the program, a last
    /// instruction other than a return, division by the constant 0, loads of cells that may not have been stored to.
    pub(crate) fn new(instructions: &[SockFilter]) -> Result<Self, Errno> {
        let length = instructions.len();
        if length == 0 || length > MAX_INSTRUCTIONS {
            return Err(Errno::EINVAL);
        }
        let steps = instructions
            .iter()
            .enumerate()
            .map(|(place, instruction)| decode(*instruction, place, length).ok_or(Errno::EINVAL))
            .collect::<Result<Box<[Step]>, Errno>>()?;
        let ends = matches!(steps.last(), Some(Step::Return(_) | Step::ReturnA));
        if !ends || !cells_are_stored_before(&steps) {
            return Err(Errno::EINVAL);
        }
        Ok(Self { steps })
    }

    /// How many instructions it has.
    pub(crate) fn len(&self) -> usize {
        self.steps.len()
    }

    /// What the program returns for a call: an action with its data.
    pub(crate) fn run(&self, data: &Data) -> u32 {
        let mut cells = [0_u32; CELLS];
        let (mut a, mut x) = (0_u32, 0_u32);
        let mut place = 0_u16;
        while let Some(step) = self.steps.get(usize::from(place)) {
            place += 1;
            match *step {
                Step::LoadData(word) => a = data.words.get(usize::from(word)).copied().unwrap_or(0),
                Step::Load(value) => a = value,
                Step::LoadX(value) => x = value,
                Step::LoadCell(cell) => a = cells.get(usize::from(cell)).copied().unwrap_or(0),
                Step::LoadXCell(cell) => x = cells.get(usize::from(cell)).copied().unwrap_or(0),
                Step::Store(cell) => store(&mut cells, cell, a),
                Step::StoreX(cell) => store(&mut cells, cell, x),
                Step::Calculate(operation, operand) => {
                    match calculate(operation, a, value(operand, x)) {
                        Some(result) => a = result,
                        // As in the kernel, the program ends.
                        None => return 0,
                    }
                }
                Step::Negate => a = a.wrapping_neg(),
                Step::ToX => x = a,
                Step::FromX => a = x,
                Step::Jump(target) => place = target,
                Step::Branch(test, operand, [yes, no]) => {
                    place = if holds(test, a, value(operand, x)) {
                        yes
                    } else {
                        no
                    };
                }
                Step::Return(value) => return value,
                Step::ReturnA => return a,
            }
        }
        // No checked program comes here; this is the strictest answer.
        0
    }
}

fn value(operand: Operand, x: u32) -> u32 {
    match operand {
        Operand::Constant(value) => value,
        Operand::X => x,
    }
}

fn store(cells: &mut [u32; CELLS], cell: u8, value: u32) {
    if let Some(place) = cells.get_mut(usize::from(cell)) {
        *place = value;
    }
}

/// `None` for a division by zero. Shifts take the low five bits, as processors do.
fn calculate(operation: Alu, left: u32, right: u32) -> Option<u32> {
    Some(match operation {
        Alu::Add => left.wrapping_add(right),
        Alu::Sub => left.wrapping_sub(right),
        Alu::Mul => left.wrapping_mul(right),
        Alu::Div => left.checked_div(right)?,
        Alu::Or => left | right,
        Alu::And => left & right,
        Alu::Xor => left ^ right,
        Alu::Lsh => left.wrapping_shl(right),
        Alu::Rsh => left.wrapping_shr(right),
    })
}

fn holds(test: Test, left: u32, right: u32) -> bool {
    match test {
        Test::Equal => left == right,
        Test::Greater => left > right,
        Test::GreaterOrEqual => left >= right,
        Test::AnySet => left & right != 0,
    }
}

/// The instruction at `place` of a program of `length` instructions; `None` if it is refused.
fn decode(instruction: SockFilter, place: usize, length: usize) -> Option<Step> {
    let SockFilter { code, jt, jf, k } = instruction;
    let operand = if code & BPF_X == 0 {
        Operand::Constant(k)
    } else {
        Operand::X
    };
    let target = |ahead: u32| {
        let target = usize::try_from(ahead).ok()?.checked_add(place + 1)?;
        u16::try_from(target).ok().filter(|_| target < length)
    };
    Some(match code {
        LD_W_ABS => {
            let in_data = k < DATA_SIZE && k.is_multiple_of(4);
            Step::LoadData(u8::try_from(k / 4).ok().filter(|_| in_data)?)
        }
        LD_W_LEN => Step::Load(DATA_SIZE),
        LDX_W_LEN => Step::LoadX(DATA_SIZE),
        LD_IMM => Step::Load(k),
        LDX_IMM => Step::LoadX(k),
        LD_MEM => Step::LoadCell(cell(k)?),
        LDX_MEM => Step::LoadXCell(cell(k)?),
        ST => Step::Store(cell(k)?),
        STX => Step::StoreX(cell(k)?),
        NEG => Step::Negate,
        TAX => Step::ToX,
        TXA => Step::FromX,
        RET_K => Step::Return(k),
        RET_A => Step::ReturnA,
        JA => Step::Jump(target(k)?),
        _ => match code & !BPF_X {
            JEQ => branch(Test::Equal, operand, target(jt.into()), target(jf.into()))?,
            JGT => branch(Test::Greater, operand, target(jt.into()), target(jf.into()))?,
            JGE => branch(
                Test::GreaterOrEqual,
                operand,
                target(jt.into()),
                target(jf.into()),
            )?,
            JSET => branch(Test::AnySet, operand, target(jt.into()), target(jf.into()))?,
            other => Step::Calculate(
                calculation(other).filter(|operation| makes_sense(*operation, operand))?,
                operand,
            ),
        },
    })
}

fn cell(k: u32) -> Option<u8> {
    u8::try_from(k)
        .ok()
        .filter(|cell| usize::from(*cell) < CELLS)
}

fn branch(test: Test, operand: Operand, yes: Option<u16>, no: Option<u16>) -> Option<Step> {
    Some(Step::Branch(test, operand, [yes?, no?]))
}

fn calculation(code: u16) -> Option<Alu> {
    Some(match code {
        0x04 => Alu::Add,
        0x14 => Alu::Sub,
        0x24 => Alu::Mul,
        0x34 => Alu::Div,
        0x44 => Alu::Or,
        0x54 => Alu::And,
        0x64 => Alu::Lsh,
        0x74 => Alu::Rsh,
        0xa4 => Alu::Xor,
        _ => return None,
    })
}

/// What the kernel refuses of constants.
fn makes_sense(operation: Alu, operand: Operand) -> bool {
    match (operation, operand) {
        (Alu::Div, Operand::Constant(0)) => false,
        (Alu::Lsh | Alu::Rsh, Operand::Constant(bits)) => bits < 32,
        _ => true,
    }
}

/// Whether, on every way to a load of a cell, a store to it comes first. As the kernel sees it: an instruction after a jump
/// is only reached by jumps.
fn cells_are_stored_before(steps: &[Step]) -> bool {
    let mut known = vec![u16::MAX; steps.len()];
    let mut stored = 0_u16;
    for (place, step) in steps.iter().enumerate() {
        stored &= known.get(place).copied().unwrap_or(0);
        let mut arrive = |target: u16| {
            if let Some(mask) = known.get_mut(usize::from(target)) {
                *mask &= stored;
            }
        };
        match *step {
            Step::Store(cell) | Step::StoreX(cell) => stored |= 1 << cell,
            Step::LoadCell(cell) | Step::LoadXCell(cell) if stored & (1 << cell) == 0 => {
                return false;
            }
            Step::Jump(target) => {
                arrive(target);
                stored = u16::MAX;
            }
            Step::Branch(_, _, [yes, no]) => {
                arrive(yes);
                arrive(no);
                stored = u16::MAX;
            }
            _ => {}
        }
    }
    true
}

/// The operand is the register X.
const BPF_X: u16 = 0x08;
const LD_IMM: u16 = 0x00;
const LDX_IMM: u16 = 0x01;
const ST: u16 = 0x02;
const STX: u16 = 0x03;
const JA: u16 = 0x05;
const RET_K: u16 = 0x06;
const TAX: u16 = 0x07;
const JEQ: u16 = 0x15;
const RET_A: u16 = 0x16;
const LD_W_ABS: u16 = 0x20;
const JGT: u16 = 0x25;
const JGE: u16 = 0x35;
const JSET: u16 = 0x45;
const LD_MEM: u16 = 0x60;
const LDX_MEM: u16 = 0x61;
const LD_W_LEN: u16 = 0x80;
const LDX_W_LEN: u16 = 0x81;
const NEG: u16 = 0x84;
const TXA: u16 = 0x87;

#[cfg(test)]
mod tests;
