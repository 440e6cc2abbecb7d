//! Lua: an interpreter with its io and string libraries; its errors and coroutines use setjmp and longjmp.

use std::fs;

use lind_tests::Result;
use lind_tests::apps::build::{Builder, expect};
use lind_tests::debian::Patches;

/// Reads a file, counts its words, writes a report, and catches errors on the way.
const SCRIPT: &str = r#"
local counts, total = {}, 0
for line in io.lines("input.txt") do
  for word in line:lower():gmatch("%a+") do
    counts[word] = (counts[word] or 0) + 1
    total = total + 1
  end
end
local words = {}
for word in pairs(counts) do words[#words + 1] = word end
table.sort(words, function(a, b)
  if counts[a] ~= counts[b] then return counts[a] > counts[b] end
  return a < b
end)
local out <close> = assert(io.open("report.txt", "w"))
for i = 1, 3 do out:write(string.format("%-6s %3d %5.1f%%\n", words[i], counts[words[i]], 100 * counts[words[i]] / total)) end
out:close()
io.write(io.open("report.txt"):read("a"))
print(("%q"):format('a\nb"c"'), ("x,y,,z"):gsub(",", ";"), ("abc"):rep(2, "-"), ("héllo"):len(), utf8.len("héllo"))
print(string.pack("<i4z", 7, "text"):byte(1, -1))
print(pcall(error, { code = 5 }), select(2, pcall(function() local x = nil; return x.field end)))
local caught = 0
for i = 1, 1000 do if not pcall(function() if i % 2 == 0 then error("even") end end) then caught = caught + 1 end end
print(caught, xpcall(function() return 1 // 0 end, function(m) return "handled: " .. m end))
local generate = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i * i) end end)
print(generate(), generate(), generate())
print(os.time({ year = 2040, month = 1, day = 2, hour = 12 }) > 2 ^ 31, os.getenv("NOTHING"), io.open("absent"))
print(math.maxinteger, 7 // 2, 7 / 2, 2 ^ 53, math.type(1), 10 // 0.0, string.format("%.14g", math.pi))
local text = io.read("n", "l", "L", "a")
print(text, io.read(0))
"#;

/// Some text to count in.
const INPUT: &str = "The cat and the dog.\nThe end of the cat;\nthe rest, and more.\n";

/// What the script writes to its report.
const REPORT: &str = "the      5  35.7%\nand      2  14.3%\ncat      2  14.3%\n";

/// What the script prints after its report.
const PRINTED: &str = r#""a\
b\"c\""	x;y;;z	abc-abc	6	5
7	0	0	0	116	101	120	116	0
false	script.lua:21: attempt to index a nil value (local 'x')
500	false	handled: script.lua:24: attempt to divide by zero
1	4	9
true	nil	nil	absent: No such file or directory	2
9223372036854775807	3	3.5	9.007199254741e+15	integer	inf	3.1415926535898
42	nil
"#;

/// Runs the script, and the same compiled by luac.
pub(crate) fn check(builder: &Builder) -> Result<()> {
    let cc = format!("CC={} -std=gnu99", builder.tool("cc"));
    let ar = format!("AR={} rcu", builder.tool("ar"));
    let ranlib = format!("RANLIB={}", builder.tool("ranlib"));
    // Debian's patches build every file a second time as C++, which lind does not have.
    let lua = builder.build(
        "lua5.4",
        Patches::Skipped,
        &[&["make", "-j2", "-C", "src", &cc, &ar, &ranlib, "linux"]],
    )?;
    let data = tempfile::tempdir().map_err(|e| e.to_string())?;
    for (name, text) in [("script.lua", SCRIPT), ("input.txt", INPUT)] {
        fs::write(data.path().join(name), text).map_err(|e| e.to_string())?;
    }
    let run = |program: &str, arguments: &[&str]| {
        lua.run(
            program,
            arguments,
            data.path(),
            "42 rest\nnext line\nall\nthat\n",
        )
    };
    let expected = format!("{REPORT}{PRINTED}");
    expect(
        "lua script.lua",
        &expected,
        &run("src/lua", &["script.lua"])?,
    )?;
    let report = fs::read_to_string(data.path().join("report.txt"))
        .map_err(|e| format!("no report: {e}"))?;
    expect("report.txt", REPORT, &report)?;
    run("src/luac", &["-o", "script.luac", "script.lua"])?;
    expect(
        "the script compiled by luac",
        &expected,
        &run("src/lua", &["script.luac"])?,
    )?;
    expect("lua -e", "3\n", &run("src/lua", &["-e", "print(1 + 2)"])?)
}
