using System.CommandLine;
using LoraServe.Cli.Mistakes;
using LoraServe.Compute;
using LoraServe.Compute.Machine;
using LoraServe.Cpu;
using LoraServe.Models;
using Spectre.Console;

namespace LoraServe.Cli.Arguments;

/// <summary>The options of every verb that loads a model, and the loading itself with its progress bar.</summary>
internal sealed class ModelArguments
{
    private static readonly TimeSpan s_progressInterval = TimeSpan.FromMilliseconds(100);

    private readonly Option<string> _model = new("--model") { Description = "A GGUF file or a Hugging Face directory.", Required = true, HelpName = "PATH" };
    private readonly Option<Arithmetic?> _arithmetic = new("--arithmetic") { Description = "exact computes in float32 throughout; fast rounds activations against quantised weights. [default: fast]", HelpName = "exact|fast" };
    private readonly Option<int> _threads = new("--threads") { Description = "Threads that compute; 0 for one per physical core.", HelpName = "N" };

    /// <summary>Adds the options to a verb.</summary>
    public void AddTo(Command verb, bool choosesArithmetic = true)
    {
        verb.Add(_model);
        if (choosesArithmetic)
        {
            verb.Add(_arithmetic);
        }

        verb.Add(_threads);
    }

    public string Path(ParseResult arguments) => arguments.GetValue(_model)!;

    public Arithmetic Arithmetic(ParseResult arguments) => arguments.GetValue(_arithmetic) ?? Compute.Arithmetic.Fast;

    public int Threads(ParseResult arguments)
    {
        int threads = arguments.GetValue(_threads);
        return threads switch
        {
            0 => ProcessorTopology.PhysicalCores,
            > 0 and <= 1024 => threads,
            _ => throw new UsageException($"--threads is {threads}; expected 0 (one per physical core) to 1024."),
        };
    }

    /// <summary>Loads the model that the user named, with a progress bar on a terminal.</summary>
    public LoadedModel Load(ParseResult arguments) => Load(Path(arguments), Arithmetic(arguments), Threads(arguments));

    /// <summary>Loads a model with a progress bar on a terminal.</summary>
    public static LoadedModel Load(string path, Arithmetic arithmetic, int threads, bool roundsToNf4 = false)
    {
        var options = new ModelLoadOptions { Arithmetic = arithmetic, Workers = threads, RoundsToNf4 = roundsToNf4 };
        if (Console.IsErrorRedirected)
        {
            return ModelLoader.Load(CpuDevice.Instance, path, options);
        }

        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress().AutoClear(true).Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn()).Start(context =>
        {
            ProgressTask task = context.AddTask("Loading model");
            long done = 0;
            using var timer = new Timer(_ => task.Value = Interlocked.Read(ref done), null, s_progressInterval, s_progressInterval);
            return ModelLoader.Load(CpuDevice.Instance, path, options with
            {
                Progress = new SynchronousProgress(progress =>
                {
                    task.MaxValue = progress.BytesTotal;
                    Interlocked.Exchange(ref done, progress.BytesDone);
                }),
            });
        });
    }

    /// <summary><see cref="Progress{T}"/> would report from the thread pool, out of order.</summary>
    private sealed class SynchronousProgress(Action<ModelLoadProgress> report) : IProgress<ModelLoadProgress>
    {
        public void Report(ModelLoadProgress value) => report(value);
    }
}
