using System.CommandLine;
using LoraServe.Cli.Mistakes;
using LoraServe.Compute;
using LoraServe.Compute.Machine;
using LoraServe.Cpu;
using LoraServe.Models;
using LoraServe.Models.Spec;
using Spectre.Console;

namespace LoraServe.Cli.Arguments;

/// <summary>The options of every verb that loads a model, and the loading itself with its progress bar.</summary>
/// <param name="takesShapes">Whether the model may be <c>random:SHAPE</c> too: where speed is all that is asked for.</param>
internal sealed class ModelArguments(bool takesShapes = false)
{
    private const string RandomPrefix = "random:";
    private const int RandomSeed = 1;

    private static readonly TimeSpan s_progressInterval = TimeSpan.FromMilliseconds(100);

    private readonly Option<string> _model = new("--model")
    {
        Description = takesShapes
            ? $"A GGUF file, a Hugging Face directory, or {RandomPrefix}SHAPE for random weights in bfloat16 of one of the shapes {Shapes}."
            : "A GGUF file or a Hugging Face directory.",
        Required = true,
        HelpName = takesShapes ? $"PATH|{RandomPrefix}SHAPE" : "PATH",
    };

    private readonly Option<Arithmetic?> _arithmetic = new("--arithmetic") { Description = "exact computes in float32 throughout; fast rounds activations against quantised weights. [default: fast]", HelpName = "exact|fast" };
    private readonly DeviceArguments _device = new();
    private readonly Option<int> _threads = new("--threads") { Description = "Threads that compute; 0 for one per physical core.", HelpName = "N" };

    /// <summary>Adds the options to a verb.</summary>
    /// <param name="verb">The verb.</param>
    /// <param name="choosesArithmetic">Whether the user says what is computed in.</param>
    /// <param name="choosesDevice">Whether the user says what computes.</param>
    public void AddTo(Command verb, bool choosesArithmetic = true, bool choosesDevice = true)
    {
        verb.Add(_model);
        if (choosesArithmetic)
        {
            verb.Add(_arithmetic);
        }

        verb.Add(_threads);
        if (choosesDevice)
        {
            _device.AddTo(verb);
        }
    }

    private static string Shapes => string.Join(", ", NamedShapes.All.Keys);

    /// <exception cref="UsageException">It is a random model, and the verb wants files or knows no such shape.</exception>
    public string Path(ParseResult arguments)
    {
        string path = arguments.GetValue(_model)!;
        return !takesShapes ? OfFiles(path)
            : !IsRandom(path) || NamedShapes.All.ContainsKey(path[RandomPrefix.Length..]) ? path
            : throw new UsageException($"--model is '{path}'; expected {RandomPrefix} and one of {Shapes}.");
    }

    /// <summary>A model's path, where random models are of no use.</summary>
    /// <exception cref="UsageException">It is one.</exception>
    public static string OfFiles(string path) => IsRandom(path)
        ? throw new UsageException($"'{path}' has random weights, which only bench decode, prefill, mixed and train take; expected a GGUF file or a Hugging Face directory.")
        : path;

    public Arithmetic Arithmetic(ParseResult arguments) => arguments.GetValue(_arithmetic) ?? Compute.Arithmetic.Fast;

    public int Threads(ParseResult arguments) => Threads(arguments.GetValue(_threads));

    /// <summary>How many threads compute where <c>--threads</c> is so many.</summary>
    /// <exception cref="UsageException">They are too many, or fewer than none.</exception>
    public static int Threads(int given) => given switch
    {
        0 => ProcessorTopology.PhysicalCores,
        > 0 and <= 1024 => given,
        _ => throw new UsageException($"--threads is {given}; expected 0 (one per physical core) to 1024."),
    };

    /// <summary>Loads the model that the user named on the device that the user named, with a progress bar on a terminal.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="arithmetic">What it computes in; null for what the user said.</param>
    /// <param name="roundsToNf4">Whether weights are rounded to NF4.</param>
    /// <param name="log">Where it says which device was found and why; null for the terminal's errors.</param>
    public LoadedModel Load(ParseResult parsed, Arithmetic? arithmetic = null, bool roundsToNf4 = false, TextWriter? log = null)
    {
        string path = Path(parsed);
        var options = new ModelLoadOptions { Arithmetic = arithmetic ?? Arithmetic(parsed), Workers = Threads(parsed), RoundsToNf4 = roundsToNf4 };
        (IDevice device, string? reason) = Choose(parsed);
        if (reason is not null && device != CpuDevice.Instance)
        {
            try
            {
                LoadedModel loaded = Load(device, path, options, parsed.InvocationConfiguration.Error);
                (log ?? parsed.InvocationConfiguration.Error).WriteLine($"device {device.Name}: {reason}");
                return loaded;
            }
            catch (DeviceException missing)
            {
                (device, reason) = (CpuDevice.Instance, missing.Message);
            }
        }

        // What everybody expects is no news to a script that reads errors.
        TextWriter quiet = Console.IsErrorRedirected ? TextWriter.Null : parsed.InvocationConfiguration.Error;
        if (reason is not null)
        {
            (log ?? quiet).WriteLine($"device {device.Name}: {reason}");
        }

        return Load(device, path, options, parsed.InvocationConfiguration.Error);
    }

    /// <summary>The device that the user named, or the best one there is.</summary>
    public IDevice Device(ParseResult parsed) => Choose(parsed).Device;

    /// <summary>Loads a model on this machine's processor, for work on files, with a progress bar on a terminal.</summary>
    public static LoadedModel Load(string path, Arithmetic arithmetic, int threads) =>
        Load(CpuDevice.Instance, OfFiles(path), new ModelLoadOptions { Arithmetic = arithmetic, Workers = threads }, Console.Error);

    private (IDevice Device, string? Reason) Choose(ParseResult parsed) => _device.Choose(parsed, isExact: parsed.GetValue(_arithmetic) == Compute.Arithmetic.Exact);

    private static bool IsRandom(string path) => path.StartsWith(RandomPrefix, StringComparison.Ordinal);

    private static LoadedModel Open(IDevice device, string path, ModelLoadOptions options) =>
        IsRandom(path) ? ModelLoader.Random(device, path[RandomPrefix.Length..], RandomSeed, options) : ModelLoader.Load(device, path, options);

    private static LoadedModel Load(IDevice device, string path, ModelLoadOptions options, TextWriter errors)
    {
        LoadedModel loaded = LoadShown(device, path, options);
        foreach (string warning in loaded.Warnings)
        {
            errors.WriteLine($"warning: {warning}");
        }

        return loaded;
    }

    private static LoadedModel LoadShown(IDevice device, string path, ModelLoadOptions options)
    {
        if (Console.IsErrorRedirected)
        {
            return Open(device, path, options);
        }

        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress().AutoClear(true).Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn()).Start(context =>
        {
            ProgressTask task = context.AddTask("Loading model");
            long done = 0;
            using var timer = new Timer(_ => task.Value = Interlocked.Read(ref done), null, s_progressInterval, s_progressInterval);
            return Open(device, path, options with
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
