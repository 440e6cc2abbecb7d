//! Is a function settled in its frame at an instruction?
//!
//! It is when `rbp` is its own frame pointer and both words at it, the caller's
//! frame pointer and the return address, are in place. That is so everywhere but
//! at the beginning of the prologue and at the end of an epilogue or of a tail
//! call, whose instructions the compiler always writes in the same way.
//!
//! The check of the stack limit does not count as settled either: it has the limit
//! in a register, and frames that are copied have another one.

/// `push rbp`, `mov rbp, rsp`
const SETUP: &[u8] = &[0x55, 0x48, 0x89, 0xe5];
/// `mov rbp, rsp`
const MOVE: &[u8] = &[0x48, 0x89, 0xe5];
/// `mov rsp, rbp`, `pop rbp`
const TEARDOWN: &[u8] = &[0x48, 0x89, 0xec, 0x5d];

/// A prologue that makes room for the arguments of a tail call sets `rbp` again
/// and then moves both words: four instructions, of which the first and third
/// have displacements.
const MOVES: usize = 8 + 4 + 8 + 5;
/// A tail call moves the return address between the teardown and the jump.
const TAIL_MOVES: usize = 4 + 8 + 7;

/// Whether the code of a function is settled when the instruction at `pc`, an
/// offset into it, is the next one.
pub(super) fn is_settled(function: &[u8], pc: usize) -> bool {
    if !function.starts_with(SETUP) || pc < SETUP.len() || pc >= function.len() {
        return false;
    }
    if pc < end_of_stack_check(function) {
        return false;
    }
    // Is `rbp` new, and are the words perhaps not yet moved?
    let recent = function.get((pc.saturating_sub(MOVES + MOVE.len())).max(SETUP.len())..pc);
    if recent.is_some_and(|recent| recent.windows(MOVE.len()).any(|code| code == MOVE)) {
        return false;
    }
    // Has `rbp` been taken back, and has the code not yet left?
    let first = pc.saturating_sub(TAIL_MOVES + TEARDOWN.len());
    for at in first..=pc.saturating_sub(TEARDOWN.len()) {
        let torn_down = at + TEARDOWN.len();
        let code = function.get(at..torn_down);
        if code == Some(TEARDOWN) && leads_to(function, torn_down, pc) {
            return false;
        }
    }
    true
}

/// Where the prologue has compared the stack limit, which it has in r10, with
/// the stack pointer for the last time. 0 if it does not.
fn end_of_stack_check(function: &[u8]) -> usize {
    let mut at = SETUP.len();
    let mut end = 0;
    loop {
        at += match *function.get(at..).unwrap_or_default() {
            // mov r10, [REG + DISP]
            [0x4c | 0x4d, 0x8b, modrm, ..] if modrm & 0xf8 == 0x50 && modrm & 7 != 4 => 4,
            [0x4c | 0x4d, 0x8b, modrm, ..] if modrm & 0xf8 == 0x90 && modrm & 7 != 4 => 7,
            // add r10, IMM
            [0x49, 0x83, 0xc2, ..] => 4,
            [0x49, 0x81, 0xc2, ..] => 7,
            // cmp r10, rsp
            [0x4c, 0x3b, 0xd4, ..] => {
                end = at + 3;
                3
            }
            // ja TRAP
            [0x0f, 0x87, ..] => 6,
            _ => return end,
        }
    }
}

/// Can the instructions after a teardown, from `at` on, come to `pc`?
fn leads_to(function: &[u8], mut at: usize, pc: usize) -> bool {
    loop {
        if at == pc {
            return true;
        }
        let Some(code) = function.get(at..).filter(|_| at < pc) else {
            return false;
        };
        at += match *code {
            // mov REG, [rsp]
            [0x48 | 0x4c, 0x8b, modrm, 0x24, ..] if modrm & 0xc7 == 0x04 => 4,
            // mov [rsp + DISP], REG
            [0x48 | 0x4c, 0x89, modrm, 0x24, _, ..] if modrm & 0xc7 == 0x44 => 5,
            [0x48 | 0x4c, 0x89, modrm, 0x24, _, _, _, _, ..] if modrm & 0xc7 == 0x84 => 8,
            // add rsp, IMM
            [0x48, 0x83, 0xc4, _, ..] => 4,
            [0x48, 0x81, 0xc4, _, _, _, _, ..] => 7,
            // The return or the jump, after which comes other code.
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_settled;

    /// The offsets at which `function` is not settled.
    fn unsettled(function: &[u8]) -> Vec<usize> {
        let all = 0..function.len();
        all.filter(|pc| !is_settled(function, *pc)).collect()
    }

    const NOPS: [u8; 40] = [0x90; 40];

    #[test]
    fn prologue_and_epilogue() {
        let mut code = vec![0x55, 0x48, 0x89, 0xe5, 0x90, 0x48, 0x89, 0xec, 0x5d, 0xc3];
        assert_eq!(unsettled(&code), [0, 1, 2, 3, 9]);
        // What follows the return is settled again.
        code.extend([0xeb, 0xfe]);
        assert_eq!(unsettled(&code), [0, 1, 2, 3, 9]);
        // ret 16
        let code = [
            0x55, 0x48, 0x89, 0xe5, 0x48, 0x89, 0xec, 0x5d, 0xc2, 0x10, 0, 0x90,
        ];
        assert_eq!(unsettled(&code), [0, 1, 2, 3, 8]);
        assert_eq!(unsettled(&NOPS).len(), NOPS.len());
    }

    #[test]
    fn stack_check() {
        let mut code = vec![0x55, 0x48, 0x89, 0xe5];
        code.extend([0x4c, 0x8b, 0x57, 0x08]); // mov r10, [rdi + 8]
        code.extend([0x4d, 0x8b, 0x52, 0x18]); // mov r10, [r10 + 24]
        code.extend([0x49, 0x83, 0xc2, 0x20]); // add r10, 32
        code.extend([0x4c, 0x3b, 0xd4]); // cmp r10, rsp
        let compared = code.len();
        code.extend([0x0f, 0x87, 0, 0, 0, 0]);
        code.extend(NOPS);
        assert_eq!(unsettled(&code), (0..compared).collect::<Vec<_>>());
        // Another use of r10.
        let code = [0x55, 0x48, 0x89, 0xe5, 0x4c, 0x8b, 0x57, 0x08, 0x90];
        assert_eq!(unsettled(&code), [0, 1, 2, 3]);
    }

    #[test]
    fn tail_call_with_fewer_arguments() {
        let mut code = vec![0x55, 0x48, 0x89, 0xe5];
        code.extend(NOPS);
        code.extend([0x48, 0x89, 0xec, 0x5d]);
        let torn_down = code.len();
        code.extend([0x4c, 0x8b, 0x1c, 0x24]); // mov r11, [rsp]
        code.extend([0x4c, 0x89, 0x5c, 0x24, 0x10]); // mov [rsp + 16], r11
        code.extend([0x48, 0x83, 0xc4, 0x10]); // add rsp, 16
        let jump = code.len();
        code.extend([0xe9, 0, 0, 0, 0, 0x0f, 0x0b]);
        let expect = [0, 1, 2, 3, torn_down, torn_down + 4, torn_down + 9, jump];
        assert_eq!(unsettled(&code), expect);
    }

    #[test]
    fn tail_call_with_more_arguments() {
        let mut code = vec![0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x10];
        let moved = code.len() + 3;
        code.extend([0x48, 0x89, 0xe5]); // mov rbp, rsp
        code.extend([0x4c, 0x8b, 0x5c, 0x24, 0x10]);
        code.extend([0x4c, 0x89, 0x1c, 0x24]);
        code.extend([0x4c, 0x8b, 0x5c, 0x24, 0x18]);
        code.extend([0x4c, 0x89, 0x5c, 0x24, 0x08]);
        let done = code.len();
        code.extend(NOPS);
        let unsettled = unsettled(&code);
        for pc in [moved, moved + 5, moved + 9, moved + 14] {
            assert!(unsettled.contains(&pc));
        }
        assert!(is_settled(&code, 8) && is_settled(&code, done + 16));
    }
}
