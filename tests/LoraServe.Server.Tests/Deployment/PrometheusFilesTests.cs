using System.ComponentModel;
using System.Diagnostics;
using System.Text.RegularExpressions;
using LoraServe.Testing;

namespace LoraServe.Server.Tests.Deployment;

/// <summary>Prometheus' own tool on what we hand to Prometheus.</summary>
public sealed class PrometheusFilesTests
{
    private static readonly string s_folder = Path.Combine(Repository.Root, "deploy", "prometheus");

    [SkippableTheory]
    [InlineData("check", "config", "prometheus.yml")]
    [InlineData("check", "rules", "--lint=all", "rules.yml")]
    public void Promtool_AcceptsTheFiles(params string[] arguments)
    {
        (int code, string output) = Run("promtool", arguments);

        Assert.True(code == 0, output);
    }

    [SkippableFact]
    public void Promtool_AcceptsTheScrapeWithAKey()
    {
        string commented = File.ReadAllText(Path.Combine(s_folder, "prometheus.yml"));
        string keyed = Regex.Replace(commented, "^    # (authorization:|  credentials_file:)", "    $1", RegexOptions.Multiline);
        string file = Path.GetTempFileName();
        File.WriteAllText(file, keyed);

        (int code, string output) = Run("promtool", ["check", "config", "--syntax-only", file]);

        File.Delete(file);
        Assert.Contains("\n    authorization:\n      credentials_file: loraserve.key\n", keyed, StringComparison.Ordinal);
        Assert.True(code == 0, output);
    }

    [SkippableFact]
    public void Python_ReadsEveryYamlFile()
    {
        string[] files = [.. Directory.GetFiles(Path.Combine(Repository.Root, "deploy"), "*.y*ml", SearchOption.AllDirectories)];
        (int found, _) = Run("python3", ["-c", "import yaml"]);
        Skip.If(found != 0, "python3-yaml is not installed.");

        (int code, string output) = Run("python3", ["-c", "import sys, yaml\nfor name in sys.argv[1:]: assert all(yaml.safe_load_all(open(name))), name", .. files]);

        Assert.NotEmpty(files);
        Assert.True(code == 0, output);
    }

    private static (int Code, string Output) Run(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = s_folder, RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            using Process process = Process.Start(start)!;
            Task<string> errors = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output + errors.Result);
        }
        catch (Win32Exception)
        {
            Skip.If(true, $"{program} is not installed.");
            throw;
        }
    }
}
