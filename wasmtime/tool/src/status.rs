//! `status`: what is pinned, what is imported, what is edited.

use crate::checkout::Checkout;
use crate::compose::Recipe;
use crate::failure::Result;
use crate::pin::Queue;

/// Prints the state of every source of a queue.
pub(crate) fn queue(queue: &Queue) -> Result<()> {
    println!("{}", queue.name);
    for source in &queue.sources {
        let recipe = Recipe::read(queue, source)?;
        let checkout = Checkout::at(&queue.places(source).tree)?;
        println!(
            "  {} {}: {}",
            source.name,
            source.version,
            state(&recipe, &checkout)?
        );
        let applied = match checkout.stamp()? {
            Some(stamp) => recipe.count(stamp.until.as_deref()).unwrap_or(0),
            None => 0,
        };
        for (index, patch) in recipe.patches.iter().enumerate() {
            println!(
                "    {} {}",
                if index < applied {
                    "applied "
                } else {
                    "        "
                },
                patch.name
            );
        }
        if !recipe.overlay.is_empty() {
            println!("    {} files in the overlay", recipe.overlay.len());
        }
        if let Some(stamp) = checkout.stamp()? {
            for (path, file) in checkout.edits(&stamp)? {
                let what = match (file, stamp.imported(&path)) {
                    (None, _) => "deleted ",
                    (_, None) => "new     ",
                    _ => "edited  ",
                };
                println!("    {what} {path}");
            }
        }
    }
    Ok(())
}

fn state(recipe: &Recipe, checkout: &Checkout) -> Result<String> {
    if !checkout.exists() {
        return Ok("not imported".to_owned());
    }
    let place = checkout.path().display();
    let Some(stamp) = checkout.stamp()? else {
        return Ok(format!("{place} was not made by import"));
    };
    let current = recipe
        .count(stamp.until.as_deref())
        .is_ok_and(|n| recipe.stamp(n) == stamp.digest);
    Ok(match (current, stamp.until) {
        (false, _) => format!("{place} is older than the queue"),
        (true, Some(patch)) => format!("{place}, imported until {patch}"),
        (true, None) => format!("{place} is up to date"),
    })
}
