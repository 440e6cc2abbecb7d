//! The table of `--strace-summary`: what `strace -c -w` prints.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

/// What is counted of each call.
#[derive(Default)]
pub(super) struct Summary {
    counts: HashMap<String, Count>,
}

#[derive(Clone, Copy, Default)]
struct Count {
    calls: u64,
    errors: u64,
    /// From entering the calls to leaving them: waiting included.
    time: Duration,
}

impl Summary {
    /// Counts a call.
    pub(super) fn add(&mut self, name: &str, time: Duration, failed: bool) {
        let count = match self.counts.get_mut(name) {
            Some(count) => count,
            None => self.counts.entry(name.to_owned()).or_default(),
        };
        count.calls += 1;
        count.errors += u64::from(failed);
        count.time += time;
    }

    /// The table, the dearest call first.
    pub(super) fn table(&self) -> String {
        let mut rows: Vec<(&str, Count)> = self
            .counts
            .iter()
            .map(|(name, count)| (name.as_str(), *count))
            .collect();
        rows.sort_by(|(name, count), (other, theirs)| {
            theirs.time.cmp(&count.time).then(name.cmp(other))
        });
        let total = rows.iter().fold(Count::default(), |sum, (_, count)| Count {
            calls: sum.calls + count.calls,
            errors: sum.errors + count.errors,
            time: sum.time + count.time,
        });
        let mut text = String::from("% time     seconds  usecs/call     calls    errors syscall\n");
        text.push_str(RULE);
        for (name, count) in &rows {
            row(&mut text, count.percent_of(&total), *count, name);
        }
        text.push_str(RULE);
        row(&mut text, 100.0, total, "total");
        text
    }
}

const RULE: &str = "------ ----------- ----------- --------- --------- ----------------\n";

impl Count {
    fn percent_of(&self, total: &Self) -> f64 {
        if total.time.is_zero() {
            return 0.0;
        }
        100.0 * self.time.as_secs_f64() / total.time.as_secs_f64()
    }
}

fn row(text: &mut String, percent: f64, count: Count, name: &str) {
    let each = count.time.as_micros() / u128::from(count.calls.max(1));
    let errors = match count.errors {
        0 => String::new(),
        errors => errors.to_string(),
    };
    let _ = writeln!(
        text,
        "{percent:6.2} {:11.6} {each:11} {:9} {errors:>9} {name}",
        count.time.as_secs_f64(),
        count.calls,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_summed() {
        let mut summary = Summary::default();
        summary.add("close", Duration::from_micros(10), false);
        summary.add("read", Duration::from_micros(40), false);
        summary.add("read", Duration::from_micros(50), true);
        assert_eq!(
            summary.table(),
            "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 90.00    0.000090          45         2         1 read
 10.00    0.000010          10         1           close
------ ----------- ----------- --------- --------- ----------------
100.00    0.000100          33         3         1 total
"
        );
    }

    #[test]
    fn nothing_is_a_table_too() {
        assert!(Summary::default().table().ends_with("total\n"));
    }
}
