//! The vmctx as the value of the pinned register.
//!
//! Each value of the register that the optimizer sees ends at the next call.
//! So what is loaded through the vmctx ends there as well, as it must in a frame
//! that can go on under another instance; between calls and in loops without
//! calls the loads are shared and hoisted as usual.

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::flowgraph::ControlFlowGraph;
use cranelift_codegen::ir::{self, Block, Inst, InstBuilder, Value};
use cranelift_entity::SecondaryMap;
use std::collections::HashMap;

/// Where the register is read. The value is used up to the next call on every
/// way from there.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Reading {
    Start(Block),
    After(Inst),
}

/// Makes every use of `vmctx` one of a value of the pinned register that was
/// read after the last call before it.
pub(super) fn read_again_after_calls(func: &mut ir::Function, vmctx: Value) {
    let blocks: Vec<Block> = func.layout.blocks().collect();
    let starts = readings_at_starts(func, &blocks);
    let mut values = HashMap::new();
    for block in blocks {
        let mut reading = starts[block].unwrap_or(Reading::Start(block));
        let insts: Vec<Inst> = func.layout.block_insts(block).collect();
        for inst in insts {
            if func.dfg.inst_values(inst).any(|value| value == vmctx) {
                let own = *values
                    .entry(reading)
                    .or_insert_with(|| read(func, reading, vmctx));
                let rename = |value| if value == vmctx { own } else { value };
                func.dfg.map_inst_values(inst, rename);
            }
            if func.dfg.insts[inst].opcode().is_safepoint() {
                reading = Reading::After(inst);
            }
        }
    }
}

/// The reading that reaches the start of each block, if it is the same on all
/// ways there.
fn readings_at_starts(
    func: &ir::Function,
    blocks: &[Block],
) -> SecondaryMap<Block, Option<Reading>> {
    let cfg = ControlFlowGraph::with_function(func);
    let last_calls: SecondaryMap<Block, Option<Inst>> = {
        let mut calls = SecondaryMap::new();
        for block in blocks {
            let mut insts = func.layout.block_insts(*block).rev();
            calls[*block] = insts.find(|inst| func.dfg.insts[*inst].opcode().is_safepoint());
        }
        calls
    };
    let mut starts: SecondaryMap<Block, Option<Reading>> = SecondaryMap::new();
    // Optimistic: a way that was not seen yet changes nothing. What changes is
    // a reading nearer to the block each time, at last its own start.
    let mut changed = true;
    while changed {
        changed = false;
        for block in blocks {
            let mut reaching = None;
            for pred in cfg.pred_iter(*block) {
                let end = match last_calls[pred.block] {
                    // A call that ends its block has no place after it.
                    Some(call) if call == pred.inst => Some(Reading::Start(*block)),
                    Some(call) => Some(Reading::After(call)),
                    None => starts[pred.block],
                };
                reaching = match (reaching, end) {
                    (reaching, None) => reaching,
                    (None, end) => end,
                    (Some(one), Some(other)) if one == other => Some(one),
                    _ => Some(Reading::Start(*block)),
                };
            }
            if func.layout.entry_block() == Some(*block) {
                reaching = Some(Reading::Start(*block));
            }
            if starts[*block] != reaching && starts[*block] != Some(Reading::Start(*block)) {
                starts[*block] = reaching;
                changed = true;
            }
        }
    }
    starts
}

fn read(func: &mut ir::Function, reading: Reading, vmctx: Value) -> Value {
    let ty = func.dfg.value_type(vmctx);
    let cursor = FuncCursor::new(func);
    let mut cursor = match reading {
        Reading::Start(block) => cursor.at_first_insertion_point(block),
        Reading::After(call) => cursor.after_inst(call),
    };
    cursor.ins().get_pinned_reg(ty)
}
