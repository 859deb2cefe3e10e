using System.Runtime.InteropServices;

namespace LoraServe.Compute.Machine;

/// <summary>Which processors this process may use.</summary>
public static class ProcessorTopology
{
    private const string ProcessorInformation = "/proc/cpuinfo";

    /// <summary>What the machine calls its processor.</summary>
    public static string Name
    {
        get
        {
            string? line = File.Exists(ProcessorInformation)
                ? File.ReadLines(ProcessorInformation).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))
                : Environment.GetEnvironmentVariable("PROCESSOR_IDENTIFIER");
            return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim() ?? $"{RuntimeInformation.ProcessArchitecture}";
        }
    }

    /// <summary>Physical cores given to the process: the number of workers that computes fastest, since threads of one core share its multipliers.</summary>
    /// <remarks>Where the system does not tell which processors share a core, every processor counts. A container's CPU limit is respected.</remarks>
    public static int PhysicalCores => Math.Min(Environment.ProcessorCount, CountCores("/proc/self/status", "/sys/devices/system/cpu"));

    internal static int CountCores(string statusFile, string processorsFolder)
    {
        try
        {
            const string key = "Cpus_allowed_list:";
            string? allowed = File.ReadLines(statusFile).FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal));
            int cores = ParseList(allowed?[key.Length..] ?? "")
                .Select(processor => File.ReadAllText(Path.Combine(processorsFolder, $"cpu{processor}", "topology", "thread_siblings_list")).Trim())
                .Distinct()
                .Count();
            return cores > 0 ? cores : Environment.ProcessorCount;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return Environment.ProcessorCount;
        }
    }

    // "0-3,8" is 0, 1, 2, 3, 8.
    private static IEnumerable<int> ParseList(string list)
    {
        foreach (string range in list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            string[] ends = range.Split('-');
            int last = int.Parse(ends[^1], System.Globalization.CultureInfo.InvariantCulture);
            for (int processor = int.Parse(ends[0], System.Globalization.CultureInfo.InvariantCulture); processor <= last; processor++)
            {
                yield return processor;
            }
        }
    }
}
