using System.Globalization;
using LoraServe.Fuzz.Runs;
using LoraServe.Fuzz.Targets;

// "run TARGET|all CASES [FIRST] [--trace]", "show TARGET NUMBER FOLDER" writes a case's files and reads them, "corpus TARGET FILE FOLDER" and "afl TARGET SEED FILE" are for afl-fuzz.
switch (args)
{
    case ["run", string name, string cases, .. string[] more]:
        int found = 0;
        TextWriter errors = Console.Error;
        long first = more is [string number, ..] && long.TryParse(number, NumberStyles.Integer, CultureInfo.InvariantCulture, out long given) ? given : 0;
        foreach (FuzzTarget target in name == "all" ? FuzzTargets.All : [FuzzTargets.Find(name)])
        {
            Action<long>? trace = more.Contains("--trace") ? (number => errors.WriteLine($"{target.Name} {number}")) : null;
            RunReport report = new FuzzRun(target) { Before = trace }.Execute(first, int.Parse(cases, CultureInfo.InvariantCulture), TimeSpan.MaxValue);
            Print(report.ToString());
            foreach (Finding finding in report.Findings)
            {
                Print(finding.ToString());
            }

            found += report.Findings.Count;
        }

        return found == 0 ? 0 : 1;
    case ["show", string name, string shownNumber, string folder]:
        FuzzTarget shown = FuzzTargets.Find(name);
        Directory.CreateDirectory(folder);
        CaseOutcome outcome = FuzzCase.Run(shown, FuzzCase.Make(shown, long.Parse(shownNumber, CultureInfo.InvariantCulture)), folder);
        Print($"{outcome.Complaint ?? "as it should be"}, {outcome.AllocatedBytes} bytes, {outcome.Elapsed.TotalMilliseconds:0} ms\n{outcome.Thrown}");
        return outcome.Complaint is null ? 0 : 1;
    case ["corpus", string name, string file, string folder]:
        CoverageRun.WriteCorpus(FuzzTargets.Find(name), file, folder);
        return 0;
    case ["afl", string name, string seed, string file]:
        CoverageRun.Execute(FuzzTargets.Find(name), seed, file);
        return 0;
    default:
        Print($"run all|TARGET CASES [FIRST] [--trace]; show TARGET NUMBER FOLDER; corpus TARGET FILE FOLDER; afl TARGET SEED FILE. Targets: {string.Join(", ", FuzzTargets.All.Select(target => target.Name))}.");
        return 2;
}

static void Print(string line)
{
    TextWriter output = Console.Out;
    output.WriteLine(line);
    output.Flush();
}
