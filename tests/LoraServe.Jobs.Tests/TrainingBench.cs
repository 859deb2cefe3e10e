using LoraServe.Jobs.Options;
using LoraServe.Jobs.Records;
using LoraServe.Jobs.Rows;
using LoraServe.Serving.Requests;
using LoraServe.Testing;
using LoraServe.Training.Options;

namespace LoraServe.Jobs.Tests;

/// <summary>Training jobs over a small engine and a fake trainer, which can be ended and begun again.</summary>
internal sealed class TrainingBench : IAsyncDisposable
{
    public static readonly Principal Admin = new("root", IsAdmin: true);
    public static readonly Principal Alice = new("alice", IsAdmin: false);
    public static readonly Principal Bob = new("bob", IsAdmin: false);

    private readonly string _folder = Directory.CreateTempSubdirectory("loraserve-").FullName;

    public TrainingBench(Action<TrainingOptions>? configure = null)
    {
        Options = new TrainingOptions { MaxRunningJobs = 1, StateFolder = Path.Combine(_folder, "state"), DataRoot = Directory.CreateDirectory(Path.Combine(_folder, "root")).FullName };
        configure?.Invoke(Options);
        File.WriteAllText(Path.Combine(Options.DataRoot!, "rows.jsonl"), "{\"text\": \"a\"}\n");
        Jobs = new TrainingJobs(Runner, Small.Engine.Adapters, Options, Log, Clock);
    }

    public EndingClock Clock { get; } = new();

    /// <summary>What jobs and engine log; errors that a test does not name here fail it.</summary>
    public ErrorLog Log => Small.Log;

    public TrainingOptions Options { get; }

    public SmallEngine Small { get; } = new();

    public FakeRunner Runner { get; private set; } = new();

    public TrainingJobs Jobs { get; private set; }

    public string Folder => _folder;

    /// <summary>A job of two steps on a file of the data root.</summary>
    public static JobRequest Request(string? publish = null, int steps = 2) => new()
    {
        Hyperparameters = new Hyperparameters { MaxSteps = steps },
        TrainingData = new DataSource { Path = "rows.jsonl" },
        Publish = publish is null ? null : new PublishTarget { Name = publish },
    };

    public Task<Job> StartAsync(JobRequest? request = null, Principal? caller = null) =>
        Jobs.StartAsync(caller ?? Admin, request ?? Request(), setting => setting, CancellationToken.None);

    public async Task<string> UploadAsync(Principal caller, string text = "{\"text\": \"a\"}", string name = "train.jsonl")
    {
        await using DataUpload upload = Jobs.BeginUpload(caller, name);
        await upload.WriteAsync(System.Text.Encoding.UTF8.GetBytes(text), CancellationToken.None);
        return await upload.CompleteAsync();
    }

    /// <summary>Waits for a job's status, and answers what it is then.</summary>
    public async Task<Job> UntilAsync(string id, JobStatus status)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await foreach (JobEvent happened in Jobs.WatchAsync(Admin, id, includePast: false, timeout.Token))
        {
            if (happened.Job is { } job && job.Status == status)
            {
                return job;
            }
        }

        throw new InvalidOperationException($"The job ended otherwise: {Jobs.Get(Admin, id)}");
    }

    /// <summary>Waits until a job has ended, however that is.</summary>
    public async Task<Job> UntilEndedAsync(string id)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await foreach (JobEvent _ in Jobs.WatchAsync(Admin, id, includePast: false, timeout.Token))
        {
        }

        return Jobs.Get(Admin, id);
    }

    /// <summary>Waits until a job has taken a step.</summary>
    public async Task UntilStepAsync(string id, int step)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await foreach (JobEvent happened in Jobs.WatchAsync(Admin, id, includePast: true, timeout.Token))
        {
            if (happened.Progress?.Step >= step)
            {
                return;
            }
        }
    }

    /// <summary>Stops the jobs and begins anew from what is on disk.</summary>
    /// <param name="meanwhile">What happens in between.</param>
    public async Task RestartAsync(Action? meanwhile = null)
    {
        await Jobs.DisposeAsync();
        meanwhile?.Invoke();
        Runner = new FakeRunner();
        Jobs = new TrainingJobs(Runner, Small.Engine.Adapters, Options, Log, Clock);
    }

    /// <summary>Lets workers come to an end with what they do.</summary>
    public async Task StopAsync() => await Jobs.DisposeAsync();

    /// <summary>The file of a job.</summary>
    public string FileOf(Job job) => Path.Combine(Options.StateFolder!, "jobs", job.Id, "job.json");

    /// <summary>How a call is refused.</summary>
    public static async Task<EngineError> RefusalAsync(Func<Task> call)
    {
        Exception refusal = await Assert.ThrowsAnyAsync<Exception>(call);
        return refusal is TrainingOptionsException ? EngineError.InvalidRequest : Assert.IsType<EngineException>(refusal).Error;
    }

    public async ValueTask DisposeAsync()
    {
        await Jobs.DisposeAsync();
        await Small.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
