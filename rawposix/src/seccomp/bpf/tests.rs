//! Programs: which are taken, and what they return.

use proptest::prelude::*;

use super::*;

fn step(code: u16, k: u32) -> SockFilter {
    SockFilter {
        code,
        jt: 0,
        jf: 0,
        k,
    }
}

fn branch(code: u16, k: u32, jt: u8, jf: u8) -> SockFilter {
    SockFilter { code, jt, jf, k }
}

fn run(steps: &[SockFilter]) -> u32 {
    let data = Data::new(172, 0x4000_4157, [10, 20, 30, 40, 50, u32::MAX]);
    Program::new(steps).unwrap().run(&data)
}

fn refused(steps: &[SockFilter]) -> bool {
    Program::new(steps) == Err(Errno::EINVAL)
}

#[test]
fn the_data_are_those_of_the_kernels_structure() {
    let words = [
        172,
        0x4000_4157,
        0,
        0,
        10,
        0,
        20,
        0,
        30,
        0,
        40,
        0,
        50,
        0,
        u32::MAX,
        0,
    ];
    for (offset, word) in (0..).step_by(4).zip(words) {
        assert_eq!(run(&[step(LD_W_ABS, offset), step(RET_A, 0)]), word);
    }
    assert_eq!(run(&[step(LD_W_LEN, 0), step(RET_A, 0)]), 64);
    assert_eq!(run(&[step(LDX_W_LEN, 0), step(TXA, 0), step(RET_A, 0)]), 64);
}

#[test]
fn calculations_wrap_and_division_by_zero_ends() {
    let with_constant = |code, a, k| run(&[step(LD_IMM, a), step(code, k), step(RET_A, 0)]);
    assert_eq!(with_constant(0x04, u32::MAX, 2), 1);
    assert_eq!(with_constant(0x14, 1, 2), u32::MAX);
    assert_eq!(with_constant(0x24, 0x1_0001, 0x1_0000), 0x1_0000);
    assert_eq!(with_constant(0x34, 7, 2), 3);
    assert_eq!(with_constant(0x44, 5, 2), 7);
    assert_eq!(with_constant(0x54, 5, 4), 4);
    assert_eq!(with_constant(0x64, 5, 31), 1 << 31);
    assert_eq!(with_constant(0x74, 5, 1), 2);
    assert_eq!(with_constant(0xa4, 5, 1), 4);
    assert_eq!(with_constant(NEG, 5, 0), 5_u32.wrapping_neg());
    let with_x = |code: u16, a, x| {
        let operation = step(code | BPF_X, 0);
        run(&[step(LD_IMM, a), step(LDX_IMM, x), operation, step(RET_A, 0)])
    };
    assert_eq!(with_x(0x34, 7, 0), 0);
    assert_eq!(with_x(0x34, 7, 7), 1);
    assert_eq!(with_x(0x64, 5, 33), 10);
    assert_eq!(with_x(0x74, 5, 33), 2);
}

#[test]
fn jumps_go_where_they_say() {
    let decide = |code, a, k| {
        run(&[
            step(LD_IMM, a),
            branch(code, k, 1, 0),
            step(RET_K, 1),
            step(JA, 1),
            step(RET_K, 2),
            step(RET_K, 3),
        ])
    };
    for (code, yes, no) in [(JEQ, 5, 4), (JGT, 4, 5), (JGE, 5, 6), (JSET, 4, 2)] {
        assert_eq!(decide(code, 5, yes), 3, "{code:#x}");
        assert_eq!(decide(code, 5, no), 1, "{code:#x}");
    }
}

#[test]
fn what_the_kernel_refuses_is_refused() {
    let ret = step(RET_K, 0);
    assert!(refused(&[]));
    assert!(refused(&vec![ret; MAX_INSTRUCTIONS + 1]));
    assert!(Program::new(&vec![ret; MAX_INSTRUCTIONS]).is_ok());
    assert!(refused(&[step(LD_IMM, 0)]));
    for (code, k) in [
        (LD_W_ABS, 64),
        (LD_W_ABS, 2),
        (LD_W_ABS, 0xffff_f000),
        (0x28, 0), // half words
        (0x30, 0), // bytes
        (0x40, 0), // of packets
        (0x94, 1), // remainders
        (0x34, 0),
        (0x64, 32),
        (0x74, 32),
        (ST, 16),
        (LD_MEM, 0),
        (JA, 1),
        (JA, u32::MAX),
        (0x0e, 0),
        (0x0d, 0),
        (0x8c, 0),
        (0x08, 0),
        (0x100, 0),
        (0xffff, 0),
    ] {
        assert!(refused(&[step(code, k), ret]), "{code:#x} {k}");
    }
    assert!(refused(&[branch(JEQ, 0, 1, 0), ret]));
    assert!(refused(&[branch(JEQ, 0, 0, 1), ret]));
}

#[test]
fn cells_are_stored_to_before_they_are_read() {
    let ret = step(RET_A, 0);
    let stored = [
        step(LD_IMM, 9),
        step(ST, 3),
        step(LD_IMM, 0),
        step(LD_MEM, 3),
        ret,
    ];
    assert_eq!(run(&stored), 9);
    // On one of two ways only.
    let once = [branch(JEQ, 0, 0, 1), step(ST, 3), step(LD_MEM, 3), ret];
    assert!(refused(&once));
    let both = [
        step(LD_IMM, 7),
        branch(JEQ, 0, 0, 2),
        step(ST, 3),
        step(JA, 1),
        step(ST, 3),
        step(LDX_MEM, 3),
        step(TXA, 0),
        ret,
    ];
    assert_eq!(run(&both), 7);
}

proptest! {
    /// Whatever is taken comes to an end, and whatever is not is refused; neither panics.
    #[test]
    fn no_program_does_harm(
        words in proptest::collection::vec((0_u16..0x100, 0_u8..8, 0_u8..8, 0_u32..80), 1..40),
        arguments in any::<[u32; 6]>(),
    ) {
        let mut steps: Vec<SockFilter> =
            words.iter().map(|(code, jt, jf, k)| SockFilter { code: *code, jt: *jt, jf: *jf, k: *k }).collect();
        steps.push(step(RET_A, 0));
        if let Ok(program) = Program::new(&steps) {
            program.run(&Data::new(1, 2, arguments));
        }
    }

    #[test]
    fn arguments_are_compared_as_they_are(arguments in any::<[u32; 6]>(), which in 0_u32..6, value in any::<u32>()) {
        let word = *arguments.get(usize::try_from(which).unwrap()).unwrap();
        for (code, holds) in [(JEQ, word == value), (JGT, word > value), (JGE, word >= value), (JSET, word & value != 0)] {
            let steps = [
                step(LD_W_ABS, 16 + 8 * which),
                branch(code, value, 0, 1),
                step(RET_K, 1),
                step(RET_K, 0),
            ];
            let program = Program::new(&steps).unwrap();
            prop_assert_eq!(program.run(&Data::new(0, 0, arguments)), u32::from(holds));
        }
    }
}
