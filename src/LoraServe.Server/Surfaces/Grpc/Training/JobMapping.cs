using Google.Protobuf.WellKnownTypes;
using LoraServe.Jobs.Records;
using LoraServe.Training.Reports;
using Proto = LoraServe.V1;

namespace LoraServe.Server.Surfaces.Grpc.Training;

/// <summary>Jobs and what happens to them, as messages.</summary>
internal static class JobMapping
{
    public static Proto.TrainingJob ToMessage(Job job) => new()
    {
        Id = job.Id,
        Status = ToMessage(job.Status),
        Owner = job.Owner,
        Request = AskedMapping.ToMessage(job.Request),
        QueuePosition = (uint)job.QueuePosition,
        Progress = job.Progress is { } progress ? ToMessage(progress) : null,
        Error = job.Error,
        Adapter = job.Adapter,
        Result = job.Result is { } result ? ToMessage(result) : null,
        CreatedAt = job.CreatedAt.ToTimestamp(),
        StartedAt = job.StartedAt?.ToTimestamp(),
        FinishedAt = job.FinishedAt?.ToTimestamp(),
        LastEvaluation = job.LastEvaluation is { } evaluation ? ToMessage(evaluation) : null,
        ResumableUntil = job.ResumableUntil?.ToTimestamp(),
        CheckedRows = (ulong)job.CheckedRows,
        TotalRows = (ulong)job.TotalRows,
    };

    public static Proto.TrainingEvent ToMessage(JobEvent happened) => happened.Job is { } job
        ? new Proto.TrainingEvent { Job = ToMessage(job) }
        : new Proto.TrainingEvent { Progress = ToMessage(happened.Progress!) };

    public static Proto.TrainingStatus ToMessage(JobStatus status) => status switch
    {
        JobStatus.Queued => Proto.TrainingStatus.Queued,
        JobStatus.Running => Proto.TrainingStatus.Running,
        JobStatus.Succeeded => Proto.TrainingStatus.Succeeded,
        JobStatus.Failed => Proto.TrainingStatus.Failed,
        JobStatus.Cancelled => Proto.TrainingStatus.Cancelled,
        _ => Proto.TrainingStatus.Unspecified,
    };

    public static Proto.TrainingProgress ToMessage(TrainingProgress progress)
    {
        var message = new Proto.TrainingProgress
        {
            Step = (uint)progress.Step,
            TotalSteps = (uint)progress.TotalSteps,
            Tokens = (ulong)progress.Tokens,
            Loss = progress.Loss,
            LearningRate = progress.LearningRate,
            GradNorm = progress.GradientNorm,
            TokensPerSecond = progress.TokensPerSecond,
            SecondsLeft = progress.SecondsLeft,
            At = progress.Time.ToTimestamp(),
        };
        Optional.Set(progress.EvaluationLoss, loss => message.EvalLoss = loss);
        Optional.Set(progress.EvaluationScore, score => message.EvalScore = score);
        Optional.Set(progress.Rank, rank => message.Rank = (uint)rank);
        return message;
    }

    private static Proto.TrainingResult ToMessage(JobResult result)
    {
        var message = new Proto.TrainingResult
        {
            TrainableParameters = (ulong)result.TrainableParameters,
            AllParameters = (ulong)result.AllParameters,
            AdapterBytes = (ulong)result.AdapterBytes,
            BaseBytes = (ulong)result.BaseBytes,
            PeakMemoryBytes = (ulong)result.PeakMemoryBytes,
            Tokens = (ulong)result.Tokens,
            TrainingSeconds = result.TrainingSeconds,
            EvaluationSeconds = result.EvaluationSeconds,
        };
        Optional.Set(result.BaseScore, score => message.BaseScore = score);
        Optional.Set(result.Score, score => message.Score = score);
        return message;
    }
}
