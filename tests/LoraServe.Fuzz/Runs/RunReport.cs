namespace LoraServe.Fuzz.Runs;

/// <summary>What a run over a target found.</summary>
internal sealed class RunReport(string target)
{
    private readonly Dictionary<string, Finding> _findings = [];

    /// <summary>Cases that ran.</summary>
    public int Cases { get; private set; }

    /// <summary>Of them, those that loaded for all their damage.</summary>
    public int Loaded { get; private set; }

    /// <summary>All time that they took.</summary>
    public TimeSpan Elapsed { get; private set; }

    /// <summary>The case that took longest.</summary>
    public (TimeSpan Time, long Number) Slowest { get; private set; }

    /// <summary>The case that allocated most.</summary>
    public (long Bytes, long Number) Largest { get; private set; }

    /// <summary>What broke a rule, a finding for each place.</summary>
    public IReadOnlyCollection<Finding> Findings => _findings.Values;

    /// <summary>Takes in a case.</summary>
    public void Add(long number, CaseOutcome outcome)
    {
        Cases++;
        Loaded += outcome.Thrown is null ? 1 : 0;
        Elapsed += outcome.Elapsed;
        Slowest = outcome.Elapsed > Slowest.Time ? (outcome.Elapsed, number) : Slowest;
        Largest = outcome.AllocatedBytes > Largest.Bytes ? (outcome.AllocatedBytes, number) : Largest;
        if (outcome.Complaint is { } complaint)
        {
            Add(new Finding(target, number, complaint, outcome.Thrown?.ToString() ?? ""));
        }
    }

    /// <summary>Takes in a finding.</summary>
    public void Add(Finding finding)
    {
        // Numbers differ from case to case, the place does not.
        string first = finding.Detail.Split('\n').FirstOrDefault(line => line.Contains(" at LoraServe.", StringComparison.Ordinal)) ?? "";
        string place = $"{string.Concat(finding.Complaint.Where(letter => !char.IsAsciiDigit(letter)))} {first}";
        if (!_findings.TryAdd(place, finding))
        {
            _findings[place].Count++;
        }
    }

    /// <inheritdoc />
    public override string ToString() => FormattableString.Invariant(
        $"{target,-16}{Cases,9} cases {Loaded,8} loaded {Elapsed.TotalSeconds,8:0.0} s   slowest {Slowest.Time.TotalMilliseconds,7:0} ms ({Slowest.Number})   most {Largest.Bytes / 1048576.0,6:0.0} MiB ({Largest.Number})   {Findings.Count} findings");
}
