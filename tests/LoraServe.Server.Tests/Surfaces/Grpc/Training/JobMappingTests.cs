using Google.Protobuf;
using LoraServe.Jobs.Records;
using LoraServe.Server.Surfaces.Grpc.Training;
using LoraServe.Training.Reports;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Tests.Surfaces.Grpc.Training;

public sealed class JobMappingTests
{
    [Theory]
    [InlineData(JobStatus.Queued, Proto.TrainingStatus.Queued)]
    [InlineData(JobStatus.Running, Proto.TrainingStatus.Running)]
    [InlineData(JobStatus.Succeeded, Proto.TrainingStatus.Succeeded)]
    [InlineData(JobStatus.Failed, Proto.TrainingStatus.Failed)]
    [InlineData(JobStatus.Cancelled, Proto.TrainingStatus.Cancelled)]
    public void ToMessage_Job_CarriesEveryField(JobStatus status, Proto.TrainingStatus expected)
    {
        var progress = new TrainingProgress { Step = 1, TotalSteps = 2 };
        var job = new Job
        {
            Id = "job-1",
            Status = status,
            Owner = "alice",
            Request = new JobRequest(),
            QueuePosition = 1,
            Progress = progress,
            LastEvaluation = progress,
            Error = "e",
            Adapter = "a@1",
            CreatedAt = DateTimeOffset.UnixEpoch.AddSeconds(1),
            StartedAt = DateTimeOffset.UnixEpoch.AddSeconds(2),
            FinishedAt = DateTimeOffset.UnixEpoch.AddSeconds(3),
            ResumableUntil = DateTimeOffset.UnixEpoch.AddSeconds(4),
            CheckedRows = 5,
            TotalRows = 6,
            Result = new JobResult
            {
                TrainableParameters = 1,
                AllParameters = 2,
                AdapterBytes = 3,
                BaseBytes = 4,
                PeakMemoryBytes = 5,
                Tokens = 6,
                TrainingSeconds = 7,
                EvaluationSeconds = 8,
                BaseScore = 0,
                Score = 0.5,
            },
        };

        Proto.TrainingJob message = JobMapping.ToMessage(job);

        AssertIsFull(message);
        AssertIsFull(message.Result);
        Assert.Equal((expected, 2, 3, 4), (message.Status, message.StartedAt.Seconds, message.FinishedAt.Seconds, message.ResumableUntil.Seconds));
        Assert.Equal((5ul, 6ul, 1u), (message.CheckedRows, message.TotalRows, message.QueuePosition));
        Assert.Equal(message, JobMapping.ToMessage(new JobEvent(job, null)).Job);
        Assert.Null(JobMapping.ToMessage(job with { FinishedAt = null }).FinishedAt);
    }

    [Fact]
    public void ToMessage_Progress_CarriesEveryField()
    {
        var progress = new TrainingProgress
        {
            Step = 1,
            TotalSteps = 2,
            Tokens = 3,
            Loss = double.NaN,
            LearningRate = 5,
            GradientNorm = 6,
            TokensPerSecond = 7,
            SecondsLeft = 8,
            EvaluationLoss = 9,
            EvaluationScore = 0.5,
            Rank = 12,
            Time = DateTimeOffset.UnixEpoch.AddSeconds(1),
        };

        Proto.TrainingProgress message = JobMapping.ToMessage(progress);

        AssertIsFull(message);
        Assert.Equal((1u, 2u, 3ul, 5, 6, 7, 8), (message.Step, message.TotalSteps, message.Tokens, message.LearningRate, message.GradNorm, message.TokensPerSecond, message.SecondsLeft));
        Assert.False(JobMapping.ToMessage(progress with { EvaluationLoss = null }).HasEvalLoss);
    }

    private static void AssertIsFull(IMessage message)
    {
        IMessage unset = message.Descriptor.Parser.ParseFrom(ByteString.Empty);
        Assert.All(
            message.Descriptor.Fields.InDeclarationOrder(),
            field => Assert.True(field.HasPresence ? field.Accessor.HasValue(message) : !Equals(field.Accessor.GetValue(unset), field.Accessor.GetValue(message)), field.Name));
    }
}
