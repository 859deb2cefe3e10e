using LoraServe.Jobs.Records;
using Microsoft.Extensions.Logging;

namespace LoraServe.Jobs;

public sealed partial class TrainingJobs
{
    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "Training job {Id} of tenant {Tenant}: {Method}, queued.")]
    private partial void LogQueued(string id, string tenant, string method);

    [LoggerMessage(EventId = 2, Level = LogLevel.Information, Message = "Training job {Id} runs, attempt {Attempt} from its checkpoint at step {Step}.")]
    private partial void LogRunning(string id, int attempt, int step);

    [LoggerMessage(EventId = 3, Level = LogLevel.Information, Message = "Training job {Id} ended: {Status}. {Detail}")]
    private partial void LogEnded(string id, JobStatus status, string detail);

    [LoggerMessage(EventId = 4, Level = LogLevel.Information, Message = "Training job {Id} is interrupted by the server's stop; it goes on at the next start.")]
    private partial void LogInterrupted(string id);

    [LoggerMessage(EventId = 5, Level = LogLevel.Error, Message = "Training job {Id} failed.")]
    private partial void LogFault(string id, Exception exception);

    [LoggerMessage(EventId = 6, Level = LogLevel.Error, Message = "The file of training job {Id} could not be written; it is tried again, and until then the job would be as it was before after a restart.")]
    private partial void LogNotSaved(string id, Exception exception);

    [LoggerMessage(EventId = 7, Level = LogLevel.Warning, Message = "Files of training job {Id}, which has ended, could not be deleted.")]
    private partial void LogNotReleased(string id, Exception exception);

    [LoggerMessage(EventId = 8, Level = LogLevel.Information, Message = "Training job {Id} is forgotten: more than {Count} jobs have ended.")]
    private partial void LogForgotten(string id, int count);

    [LoggerMessage(EventId = 9, Level = LogLevel.Information, Message = "Training job {Id} is resumed from its checkpoint; when it was last begun, that was at step {Step}.")]
    private partial void LogResumed(string id, int step);

    [LoggerMessage(EventId = 11, Level = LogLevel.Error, Message = "Training jobs that have ended could not be looked through; it is tried again.")]
    private partial void LogSweepFault(Exception exception);

    [LoggerMessage(EventId = 10, Level = LogLevel.Information, Message = "Training job {Id} can be resumed no longer; its rows and checkpoints go.")]
    private partial void LogLapsed(string id);
}
