//! Medians and means.

/// The median of a set of measurements; `None` when there are none.
pub(crate) fn median(samples: &[f64]) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (upper, lower) = (
        sorted.get(sorted.len() / 2)?,
        sorted.get(sorted.len().saturating_sub(1) / 2)?,
    );
    Some(f64::midpoint(*upper, *lower))
}

/// The geometric mean; `None` when there is nothing to take it of.
pub(crate) fn geometric_mean(values: &[f64]) -> Option<f64> {
    let count = u32::try_from(values.len())
        .ok()
        .filter(|&count| count > 0)?;
    Some((values.iter().map(|value| value.ln()).sum::<f64>() / f64::from(count)).exp())
}
