//! Does a module compiled by this engine keep its registers where they are
//! looked for?

use super::{Frames, JumpBuffers, capture, resume};
use crate::prelude::*;
use crate::{Caller, Engine, Func, Instance, Module, Store};
use alloc::sync::Arc;

/// What the host function is asked to do.
const CAPTURE: i32 = 0;
const SETJMP: i32 = 1;
const LONGJMP: i32 = 2;

/// The binary of this module:
///
/// ```wat
/// (module
///   (import "" "host" (func $host (param i32) (result i32)))
///   (func (export "fork") (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64)
///     i32.const 0  call $host  i64.extend_i32_u
///     local.get 0  i64.add
///     local.get 1  i64.xor
///     ;; and so on, alternating, up to
///     local.get 7  i64.xor)
///   (func (export "jump") (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64)
///     (local i32)
///     i32.const 1  call $host  local.tee 8  i32.eqz
///     if
///       i32.const 2  call $host  drop  unreachable
///     end
///     local.get 8  i64.extend_i32_u
///     local.get 0  i64.add
///     ;; and so on, up to
///     local.get 7  i64.xor))
/// ```
#[rustfmt::skip]
const MODULE: &[u8] = &[
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x12, 0x02, 0x60, 0x01, 0x7f, 0x01, 0x7f,
    0x60, 0x08, 0x7e, 0x7e, 0x7e, 0x7e, 0x7e, 0x7e, 0x7e, 0x7e, 0x01, 0x7e, 0x02, 0x09, 0x01, 0x00,
    0x04, 0x68, 0x6f, 0x73, 0x74, 0x00, 0x00, 0x03, 0x03, 0x02, 0x01, 0x01, 0x07, 0x0f, 0x02, 0x04,
    0x66, 0x6f, 0x72, 0x6b, 0x00, 0x01, 0x04, 0x6a, 0x75, 0x6d, 0x70, 0x00, 0x02, 0x0a, 0x51, 0x02,
    0x1f, 0x00, 0x41, 0x00, 0x10, 0x00, 0xad, 0x20, 0x00, 0x7c, 0x20, 0x01, 0x85, 0x20, 0x02, 0x7c,
    0x20, 0x03, 0x85, 0x20, 0x04, 0x7c, 0x20, 0x05, 0x85, 0x20, 0x06, 0x7c, 0x20, 0x07, 0x85, 0x0b,
    0x2f, 0x01, 0x01, 0x7f, 0x41, 0x01, 0x10, 0x00, 0x22, 0x08, 0x45, 0x04, 0x40, 0x41, 0x02, 0x10,
    0x00, 0x1a, 0x00, 0x0b, 0x20, 0x08, 0xad, 0x20, 0x00, 0x7c, 0x20, 0x01, 0x85, 0x20, 0x02, 0x7c,
    0x20, 0x03, 0x85, 0x20, 0x04, 0x7c, 0x20, 0x05, 0x85, 0x20, 0x06, 0x7c, 0x20, 0x07, 0x85, 0x0b,
];

type Values = (i64, i64, i64, i64, i64, i64, i64, i64);

const VALUES: Values = (
    0x0123_4567_89ab_cdef,
    0x1032_5476_98ba_dcfe,
    0x2301_6745_ab89_efcd,
    0x3210_7654_ba98_fedc,
    0x4567_0123_cdef_89ab,
    0x5476_1032_dcfe_98ba,
    0x6745_2301_efcd_ab89,
    0x7654_3210_fedc_ba98,
);

fn combine(first: i64) -> i64 {
    let v = VALUES;
    let sum = first.wrapping_add(v.0) ^ v.1;
    let sum = sum.wrapping_add(v.2) ^ v.3;
    let sum = sum.wrapping_add(v.4) ^ v.5;
    sum.wrapping_add(v.6) ^ v.7
}

#[derive(Default)]
struct State {
    frames: Option<Arc<Frames>>,
    buffers: JumpBuffers<()>,
    place: u32,
}

fn host(mut caller: Caller<'_, State>, what: i32) -> Result<i32> {
    match what {
        CAPTURE => {
            let frames = capture(&mut caller)?;
            caller.data_mut().frames = Some(Arc::new(frames));
            Ok(1)
        }
        SETJMP => {
            let mut buffers = core::mem::take(&mut caller.data_mut().buffers);
            let place = buffers.setjmp(&mut caller, ());
            let state = caller.data_mut();
            state.buffers = buffers;
            state.place = place?;
            Ok(0)
        }
        LONGJMP => {
            let mut buffers = core::mem::take(&mut caller.data_mut().buffers);
            let place = caller.data().place;
            let jumped = buffers.longjmp(&mut caller, place).map(|&()| ());
            caller.data_mut().buffers = buffers;
            jumped?;
            Ok(7)
        }
        _ => bail!("no such request"),
    }
}

fn instantiate(engine: &Engine, module: &Module) -> Result<(Store<State>, Instance)> {
    let mut store = Store::new(engine, State::default());
    let host = Func::wrap(&mut store, host);
    let instance = Instance::new(&mut store, module, &[host.into()])?;
    Ok((store, instance))
}

/// Checks that frames are captured and resumed, and that jumps come back, with
/// all values intact.
///
/// A host that uses native frames calls this once when it starts: a change of
/// the compiler that moves the saved registers shows here.
///
/// # Errors
///
/// Values are not intact, or native frames are not enabled in `engine`.
pub fn self_test(engine: &Engine) -> Result<()> {
    let module = Module::from_binary(engine, MODULE)?;
    let (mut store, instance) = instantiate(engine, &module)?;
    let fork = instance.get_typed_func::<Values, i64>(&mut store, "fork")?;
    ensure!(
        fork.call(&mut store, VALUES)? == combine(1),
        "a captured frame lost its values"
    );
    let Some(frames) = store.data_mut().frames.take() else {
        bail!("no frame was captured");
    };
    let (mut child, child_instance) = instantiate(engine, &module)?;
    let result = resume(&mut child, &child_instance, &frames, 2)?;
    ensure!(
        result.cast_signed() == combine(2),
        "a resumed frame lost its values"
    );
    let jump = instance.get_typed_func::<Values, i64>(&mut store, "jump")?;
    ensure!(
        jump.call(&mut store, VALUES)? == combine(7),
        "a frame that was jumped to lost its values"
    );
    Ok(())
}
