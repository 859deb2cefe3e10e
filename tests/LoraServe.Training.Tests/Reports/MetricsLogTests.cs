using LoraServe.Training.Reports;

namespace LoraServe.Training.Tests.Reports;

public sealed class MetricsLogTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("loraserve-").FullName;

    private string LogPath => Path.Combine(_folder, MetricsLog.FileName);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Append_AnySteps_AreReadAsTheyWere()
    {
        TrainingProgress[] steps =
        [
            Step(1),
            Step(2) with { EvaluationLoss = 1.5, EvaluationScore = 0.25 },
            Step(3) with { Loss = double.NaN, GradientNorm = double.PositiveInfinity },
        ];
        using (MetricsLog log = MetricsLog.Open(LogPath))
        {
            Array.ForEach(steps, log.Append);

            // On disk while the run goes on.
            Assert.Equal(steps, MetricsLog.Read(LogPath));
        }

        Assert.Equal(steps, MetricsLog.Read(LogPath));
    }

    [Fact]
    public void Append_Step_IsOneJsonObjectOnALineWithTheUsualNames()
    {
        using (MetricsLog log = MetricsLog.Open(LogPath))
        {
            log.Append(Step(1) with { EvaluationLoss = 0.5 });
        }

        Assert.Equal(
            """{"step":1,"total_steps":10,"tokens":100,"loss":2.5,"learning_rate":0.001,"grad_norm":0.75,"tokens_per_s":321,"seconds_left":9,"eval_loss":0.5,"time":"2026-01-02T03:04:05+00:00"}""" + "\n",
            File.ReadAllText(LogPath));
    }

    [Fact]
    public void Open_ResumedRun_DropsStepsAfterTheCheckpoint()
    {
        Write(5);

        using (MetricsLog log = MetricsLog.Open(LogPath, lastStep: 3))
        {
            log.Append(Step(4) with { Loss = 1 });
        }

        Assert.Equal([1, 2, 3, 4], MetricsLog.Read(LogPath).Select(step => step.Step));
        Assert.Equal(1, MetricsLog.Read(LogPath)[^1].Loss);
        Assert.Equal([LogPath], Directory.GetFiles(_folder));
    }

    [Fact]
    public void Open_NewRun_BeginsAnew()
    {
        Write(5);

        MetricsLog.Open(LogPath).Dispose();

        Assert.Empty(MetricsLog.Read(LogPath));
    }

    [Fact]
    public void Open_KilledInTheMiddleOfALine_GoesOnBeforeIt()
    {
        Write(3);
        File.WriteAllText(LogPath, File.ReadAllText(LogPath)[..^20]);

        using (MetricsLog log = MetricsLog.Open(LogPath, lastStep: 3))
        {
            log.Append(Step(3));
        }

        Assert.Equal([1, 2, 3], MetricsLog.Read(LogPath).Select(step => step.Step));
    }

    [Theory]
    [InlineData("{\"step\": 2, \"total_steps\": \"many\"}")]
    [InlineData("no json")]
    [InlineData("null")]
    [InlineData("{}")]
    public void Read_DamagedLine_NamesFileAndLine(string damage)
    {
        Write(3);
        string[] lines = File.ReadAllLines(LogPath);
        lines[1] = damage;
        File.WriteAllLines(LogPath, lines);

        InvalidDataException refusal = Assert.Throws<InvalidDataException>(() => MetricsLog.Read(LogPath));

        Assert.StartsWith($"{LogPath}, line 2: ", refusal.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => MetricsLog.Open(LogPath, lastStep: 3));
        Assert.Equal(lines, File.ReadAllLines(LogPath));
    }

    internal static TrainingProgress Step(int step) => new()
    {
        Step = step,
        TotalSteps = 10,
        Tokens = 100L * step,
        Loss = 2.5,
        LearningRate = 1e-3,
        GradientNorm = 0.75,
        TokensPerSecond = 321,
        SecondsLeft = 10 - step,
        Time = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
    };

    private void Write(int count)
    {
        using MetricsLog log = MetricsLog.Open(LogPath);
        for (int step = 1; step <= count; step++)
        {
            log.Append(Step(step));
        }
    }
}
