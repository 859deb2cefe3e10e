using System.Text.RegularExpressions;
using LoraServe.Server.Options;
using LoraServe.Testing;

namespace LoraServe.Server.Tests.Deployment;

/// <summary>The image is built as the tests are, and runs with little.</summary>
public sealed partial class DockerfileTests
{
    private static readonly string[] s_lines = File.ReadAllLines(Path.Combine(Repository.Root, "Dockerfile"));

    [Fact]
    public void Build_HasTheStepsOfTheTests()
    {
        string[] tested = [.. File.ReadAllLines(Path.Combine(Repository.Root, ".ci", "run")).Select(line => line.Trim()).Where(line => BuildStep().IsMatch(line))];
        string[] image = [.. Arguments("RUN").Where(step => BuildStep().IsMatch(step))];

        Assert.Equal(tested, image);
        Assert.Contains(Arguments("RUN"), step => step.StartsWith("dotnet publish ", StringComparison.Ordinal) && step.Contains("--no-build", StringComparison.Ordinal));
    }

    [Fact]
    public void Images_AreOfAVersion() =>
        Assert.All(Arguments("FROM").Where(image => !Stages().Contains(image.Split(' ')[0])), image => Assert.Matches(@":\d", image));

    [Fact]
    public void Process_HasNoRootAndIsAskedWhetherItServes()
    {
        Assert.Contains(Arguments("USER"), user => user == "$APP_UID");
        Assert.Contains("\"health\"", Assert.Single(Arguments("HEALTHCHECK")), StringComparison.Ordinal);
        Assert.Single(Arguments("ENTRYPOINT"));
        Assert.Empty(Arguments("ADD"));
    }

    [Fact]
    public void Ports_AreTheServersDefaults()
    {
        int port = new ServerOptions().Port;

        Assert.Equal($"{port} {port + 1}", Assert.Single(Arguments("EXPOSE")));
    }

    [Fact]
    public void LastStage_IsThatWithoutAGpu()
    {
        Assert.Equal("run", Arguments("FROM").Last());
        Assert.Contains("run AS cuda", Arguments("FROM"));
    }

    private static HashSet<string> Stages() => [.. Arguments("FROM").Where(image => image.Contains(" AS ", StringComparison.Ordinal)).Select(image => image.Split(' ')[^1])];

    private static IEnumerable<string> Arguments(string instruction) =>
        s_lines.Where(line => line.StartsWith($"{instruction} ", StringComparison.Ordinal)).Select(line => line[(instruction.Length + 1)..].Trim());

    [GeneratedRegex("^dotnet (restore|build) ")]
    private static partial Regex BuildStep();
}
