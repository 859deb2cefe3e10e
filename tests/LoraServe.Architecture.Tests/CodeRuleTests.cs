using System.Text.RegularExpressions;

namespace LoraServe.Architecture.Tests;

/// <summary>Rules about lines and files that no analyzer has. An exception is listed here, with its reason.</summary>
public sealed partial class CodeRuleTests
{
    private const int LongestLine = 200;
    private const int LongestFile = 600;

    private static readonly string[] s_source = [.. SourceTree.CodeFiles.Where(file => file.StartsWith("src/", StringComparison.Ordinal))];

    /// <summary>Files that read the system's clock: gRPC sends and compares deadlines as points in UTC, and its callers give them so.</summary>
    private static readonly string[] s_clockReaders =
    [
        "src/LoraServe.Cli/Verbs/HealthVerb.cs",
    ];

    /// <summary>Chance that must not be foreseen: what a hostile file could be made for.</summary>
    private static readonly string[] s_unseeded = ["src/LoraServe.Tokenization/Models/HashMultiplier.cs"];

    /// <summary>Files below Server that use the thread pool: what they start takes long and must not hold up the engine's thread or a caller's.</summary>
    private static readonly string[] s_poolUsers =
    [
        "src/LoraServe.Serving/InferenceEngine.cs", // waits for the engine's thread to end
        "src/LoraServe.Serving/Scheduling/TokenStream.cs", // wakes the reader of an answer, who is no business of the engine's thread
        "src/LoraServe.Serving/Store/Files/DeletionQueue.cs", // deletes files
        "src/LoraServe.Serving/Store/Residency/AdapterMemory.cs", // evicts what the engine's thread left to be evicted
        "src/LoraServe.Serving/Store/Residency/AdapterMemory.Loading.cs", // loads adapters
        "src/LoraServe.Serving/Store/AdapterStore.Publishing.cs", // publishes adapters
        "src/LoraServe.Serving/Store/MergeQueue.cs", // merges adapters
        "src/LoraServe.Serving/Store/AdapterStore.Resolving.cs", // looks at files that requests name
        "src/LoraServe.Jobs/TrainingJobs.cs", // reads the rows of a job that is taken in
        "src/LoraServe.Jobs/TrainingJobs.Running.cs", // waits for whole trainings, and publishes what comes of them
        "src/LoraServe.Training/Ranks/Sweep/SweepTraining.cs", // waits for whole trainings
    ];

    /// <summary>Files that write without <c>AtomicFile</c>, and why what a kill or a power cut leaves of theirs does no harm.</summary>
    private static readonly string[] s_writers =
    [
        "src/LoraServe.Cli/Verbs/EvalVerb.cs", // the answers go where the caller says, into a pipe too
        "src/LoraServe.Compute/Files/AtomicFile.cs", // is how everybody else writes
        "src/LoraServe.Training/Data/RowContainer.cs", // unpacked rows, which nobody looks for again
        "src/LoraServe.Training/Reports/MetricsLog.cs", // adds a line a step; a torn last line is left out by whoever reads
        "src/LoraServe.Training/Ranks/Sweep/SweepTraining.cs", // rows of a fold, which go with the sweep
    ];

    /// <summary>Files of the server that know gRPC although they are not of its surface.</summary>
    private static readonly string[] s_grpcReaders =
    [
        "src/LoraServe.Server/Surfaces/Refusals.cs", // the one table of what each surface calls a refusal
    ];

    /// <summary>Files over the usual length.</summary>
    private static readonly string[] s_longFiles = [];

    [Fact]
    public void Files_HaveOnePublicTypeOfTheirName() =>
        Rule.Holds(
            "A file has one public type at its top level, and its name (before a dot: parts of a type; generic forms of a type share a file).",
            from file in s_source
            let types = PublicType().Matches(SourceTree.Text(file)).Select(match => match.Groups["name"].Value).Distinct().ToArray()
            where types.Length > 1 || (types.Length == 1 && types[0] != StemOf(file))
            select $"{file}: {string.Join(", ", types)}");

    [Fact]
    public void Files_WithOneTypeAreNamedAsIt() =>
        Rule.Holds(
            "A file with one type at its top level has its name.",
            from file in s_source
            let types = AnyType().Matches(SourceTree.Text(file)).Select(match => match.Groups["name"].Value).Distinct().ToArray()
            where types.Length == 1 && types[0] != StemOf(file)
            select $"{file}: {types[0]}");

    [Fact]
    public void Code_ReadsNoClockThatTestsCannotSet() =>
        Rule.Holds(
            "Time comes from TimeProvider.",
            SourceTree.Matches(s_source.Except(s_clockReaders), SystemClock()));

    [Fact]
    public void Code_WritesFilesWholeOrNotAtAll() =>
        Rule.Holds("Files that stay are written, replaced and moved by AtomicFile, which flushes them; list a file here with its reason where it need not.", SourceTree.Matches(s_source.Except(s_writers), FileWrite()));

    [Fact]
    public void Code_DrawsNoChanceWithoutASeed() =>
        Rule.Holds("Chance comes from a seed.", SourceTree.Matches(SourceTree.CodeFiles.Except(s_unseeded), SharedRandom()));

    [Fact]
    public void Code_WritesToTheConsoleInTheCommandOnly() =>
        Rule.Holds(
            "Only the command writes to the console; everything else has a log or throws.",
            SourceTree.Matches(SourceTree.CodeFiles.Where(file => !file.StartsWith("src/LoraServe.Cli/", StringComparison.Ordinal)), ConsoleWrite()));

    [Fact]
    public void Engine_UsesTheThreadPoolInListedPlacesOnly() =>
        Rule.Holds(
            "Below Server, work runs on the engine's threads; list a file here with its reason where it must not.",
            SourceTree.Matches(
                s_source.Except(s_poolUsers).Where(file => !file.StartsWith("src/LoraServe.Server/", StringComparison.Ordinal) && !file.StartsWith("src/LoraServe.Cli/", StringComparison.Ordinal)),
                PoolUse()));

    [Fact]
    public void Server_KnowsGrpcInItsSurfaceOnly() =>
        Rule.Holds(
            "gRPC, protobuf and the wire contract are known to Server/Surfaces/Grpc only: another surface shares everything else.",
            SourceTree.Matches(
                s_source.Except(s_grpcReaders).Where(file => file.StartsWith("src/LoraServe.Server/", StringComparison.Ordinal) && !file.StartsWith("src/LoraServe.Server/Surfaces/Grpc/", StringComparison.Ordinal)),
                GrpcUse()));

    [Fact]
    public void Code_IsFinished() => Rule.Holds("What is not done is not there.", SourceTree.Matches(SourceTree.CodeFiles, Unfinished()));

    [Fact]
    public void Code_KeepsNullableOn() => Rule.Holds("Nullable stays on.", SourceTree.Matches(SourceTree.CodeFiles, NullableOff()));

    [Fact]
    public void Code_SaysWhyItDisablesAWarning() =>
        Rule.Holds(
            "A warning is disabled with its reason behind it, on the same line.",
            SourceTree.Matches(SourceTree.CodeFiles, WarningOff()));

    [Fact]
    public void Files_NameNoMachine() =>
        Rule.Holds(
            "No paths of one machine and no hosts of package registries.",
            SourceTree.Matches(SourceTree.TextFiles, MachinePath()));

    [Fact]
    public void Lines_AreNotTooLong() =>
        Rule.Holds(
            $"A line has at most {LongestLine} characters, without counting its texts in quotes: a message that can be searched for is worth a long line.",
            from file in SourceTree.CodeFiles
            from line in SourceTree.Lines(file).Index()
            where line.Item.Length > LongestLine && Quoted().Replace(line.Item, "\"\"").Length > LongestLine
            select $"{file}:{line.Index + 1}: {line.Item.Length} characters");

    [Fact]
    public void Files_AreNotTooLong() =>
        Rule.Holds(
            $"A file has at most {LongestFile} lines, or is listed here.",
            from file in SourceTree.CodeFiles.Except(s_longFiles)
            let count = SourceTree.Lines(file).Length
            where count > LongestFile
            select $"{file}: {count} lines");

    [Fact]
    public void Exceptions_AreStillNeeded() =>
        Rule.Holds(
            "What is listed as an exception is one.",
            s_clockReaders.Where(file => !SourceTree.Matches([file], SystemClock()).Any())
                .Concat(s_poolUsers.Where(file => !SourceTree.Matches([file], PoolUse()).Any()))
                .Concat(s_grpcReaders.Where(file => !SourceTree.Matches([file], GrpcUse()).Any()))
                .Concat(s_writers.Where(file => !SourceTree.Matches([file], FileWrite()).Any()))
                .Concat(s_unseeded.Where(file => !SourceTree.Matches([file], SharedRandom()).Any()))
                .Concat(s_longFiles.Where(file => SourceTree.Lines(file).Length <= LongestFile)));

    private static string StemOf(string file) => Path.GetFileName(file).Split('.')[0];

    [GeneratedRegex(@"^public (?:(?:static|sealed|abstract|readonly|partial|unsafe|ref) )*(?:class|struct|record struct|record|interface|enum|delegate [\w<>?]+) (?<name>\w+)", RegexOptions.Multiline)]
    private static partial Regex PublicType();

    [GeneratedRegex(@"^(?:(?:public|internal|file|static|sealed|abstract|readonly|partial|unsafe|ref) )*(?:class|struct|record struct|record|interface|enum|delegate [\w<>?]+) (?<name>\w+)", RegexOptions.Multiline)]
    private static partial Regex AnyType();

    [GeneratedRegex(@"\bDateTime(Offset)?\.(Utc)?Now\b")]
    private static partial Regex SystemClock();

    [GeneratedRegex(@"\bFile\.(Move|Replace|Copy|Create|OpenWrite|WriteAll\w+|AppendAll\w+)\(|\bDirectory\.Move\(|\bnew StreamWriter\((?!stream\b)|\bFileMode\.(Create|CreateNew|Append|Truncate)\b")]
    private static partial Regex FileWrite();

    [GeneratedRegex(@"\bRandom\.Shared\b")]
    private static partial Regex SharedRandom();

    [GeneratedRegex(@"\bConsole\.(Write|Error\.Write|Out\.Write)")]
    private static partial Regex ConsoleWrite();

    [GeneratedRegex(@"\b(Task\.Run|ThreadPool\.\w+|Task\.Factory\.StartNew)\(")]
    private static partial Regex PoolUse();

    [GeneratedRegex(@"^using (\w+ = )?(Grpc\.|Google\.Protobuf|LoraServe\.V1)")]
    private static partial Regex GrpcUse();

    [GeneratedRegex(@"\b(TO[D]O|FIX[M]E|HA[C]K|X[X]X)\b|\bNotImplemented[E]xception\b")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"^\s*#nullable (disable|restore)")]
    private static partial Regex NullableOff();

    [GeneratedRegex(@"^\s*#pragma warning disable(?!.*//\s*\S)")]
    private static partial Regex WarningOff();

    [GeneratedRegex(@"(?<![\w.])/(work|root|home)/|\b(art[i]factory|jf[r]og)\b|registry\.npmjs|api\.nuget\.org|pypi\.org", RegexOptions.IgnoreCase)]
    private static partial Regex MachinePath();

    [GeneratedRegex("""
        "(?:[^"\\]|\\.)*"
        """)]
    private static partial Regex Quoted();
}
