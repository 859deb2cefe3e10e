using System.CommandLine;
using System.Globalization;
using LoraServe.Cli.Arguments;
using LoraServe.Cli.Mistakes;
using LoraServe.Cli.Rendering;
using LoraServe.Compute;
using LoraServe.Compute.Tensors;
using LoraServe.Models;
using LoraServe.Models.Conversion;
using LoraServe.Serving;
using LoraServe.Serving.Options;
using LoraServe.Studio.Evaluation;
using LoraServe.Training.Data;
using Spectre.Console;

namespace LoraServe.Cli.Verbs;

/// <summary><c>loraserve convert</c>: a model as a GGUF file or a Hugging Face directory, quantised, with the loss on a text before and after.</summary>
internal static class ConvertModelVerb
{
    public static Command Create()
    {
        var model = new Option<string>("--model") { Description = "The model: a GGUF file or a Hugging Face directory.", Required = true, HelpName = "PATH" };
        var output = new OutputArgument("What to write: a GGUF file if it ends in .gguf, else a Hugging Face directory with safetensors.", "PATH");
        var type = new Option<string>("--type")
        {
            Description = $"What matrices are stored as. GGUF: {Names(isGguf: true)}. Safetensors: {Names(isGguf: false)}. Norms and biases are F32.",
            Required = true,
            HelpName = "TYPE",
        };
        var importance = new Option<string>("--importance") { Description = "How much each input of each matrix matters, as llama.cpp's imatrix tool writes it (GGUF or .dat); errors of quantising are weighed by it.", HelpName = "FILE" };
        var data = new Option<string>("--data") { Description = "Rows to measure the mean loss on before and after, in any form that eval reads; for a plain text, rows of {\"text\": …}.", HelpName = "FILE" };
        var limit = new Option<int>("--limit") { Description = "Only the first rows of --data. [default: all]", DefaultValueFactory = _ => int.MaxValue, HelpName = "N" };
        var maxLength = new Option<int>("--max-length") { Description = "Rows of --data are cut on the right to this many tokens.", DefaultValueFactory = _ => 512, HelpName = "N" };
        var threads = new Option<int>("--threads") { Description = "Threads that compute; 0 for one per physical core.", HelpName = "N" };
        var verb = new NotedCommand(
            "convert",
            "Write a model as a GGUF file or a Hugging Face directory, quantised as asked, with its tokenizer and chat template.",
            """
            Examples:
              loraserve convert --model ./llama --type Q4_K --out llama-q4.gguf --importance imatrix.gguf --data wiki.jsonl
              loraserve convert --model llama-q8.gguf --type BF16 --out ./llama-bf16

              loraserve convert --model ./llama --type NF4 --out ./llama-nf4

            Matrices whose rows are no whole blocks of the type (256 values for Q4_K and Q6_K) become Q8_0, or F16, and are named. NF4 is that of
            bitsandbytes, with nested scales: the linear maps of layers; the token table, the head and what chooses experts are BF16.
            """) { model, type, importance, data, limit, maxLength, threads };
        output.AddTo(verb);
        verb.SetAction(async (arguments, cancellationToken) =>
        {
            string from = ModelArguments.OfFiles(arguments.GetValue(model)!);
            string to = output.Read(arguments);
            if (Path.TrimEndingDirectorySeparator(Path.GetFullPath(from)) == Path.TrimEndingDirectorySeparator(Path.GetFullPath(to)))
            {
                throw new UsageException("--out is the model itself. Name another path.");
            }

            string name = arguments.GetValue(type)!;
            bool isNf4 = name.Equals(ConversionOptions.Nf4Name, StringComparison.OrdinalIgnoreCase) && !ModelConverter.IsGguf(to);
            var options = new ConversionOptions
            {
                Type = isNf4 ? ElementType.BF16 : TypeOf(name, to),
                Nf4 = isNf4,
                Importance = arguments.GetValue(importance) is { } file ? ImportanceFile.Read(file) : null,
                Workers = ModelArguments.Threads(arguments.GetValue(threads)),
            };
            string? rows = arguments.GetValue(data);
            if (rows is not null && !File.Exists(rows))
            {
                throw new UsageException($"--data: there is no file {rows}.");
            }

            TextWriter writer = arguments.InvocationConfiguration.Output;
            TextWriter error = arguments.InvocationConfiguration.Error;
            var measure = new LossMeasure(rows, arguments.AtLeastOne(limit), arguments.AtLeastOne(maxLength), options.Workers, error);
            EvaluationResult? before = await measure.OfAsync(from, "Loss before", cancellationToken).ConfigureAwait(false);
            long bytesBefore = Bytes(from);
            ConversionReport report = await Terminal.ProgressAsync(error, "Converting", 100, step => Task.Run(() => Convert(from, to, options, step), cancellationToken)).ConfigureAwait(false);
            writer.WriteLine($"{to}: {string.Join(", ", report.Types.Select(of => $"{of.Value.Tensors} tensors {of.Key}"))}; {Terminal.Bytes(Bytes(to))}, of {Terminal.Bytes(bytesBefore)}.");
            foreach (string note in report.Notes)
            {
                error.WriteLine($"note: {note}");
            }

            EvaluationResult? after = await measure.OfAsync(to, "Loss after", cancellationToken).ConfigureAwait(false);
            if (before?.Loss is { } lossBefore && after?.Loss is { } lossAfter)
            {
                writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"loss {lossBefore:0.0000} before, {lossAfter:0.0000} after ({lossAfter - lossBefore:+0.0000;-0.0000}); perplexity {Math.Exp(lossBefore):0.000} and {Math.Exp(lossAfter):0.000}; {after.LabelledTokens} tokens"));
            }
        });
        return verb;
    }

    private static string Names(bool isGguf) => isGguf ? string.Join(", ", ConversionOptions.GgufTypes) : $"{string.Join(", ", ConversionOptions.SafetensorsTypes)}, {ConversionOptions.Nf4Name}";

    private static ElementType TypeOf(string name, string to)
    {
        bool isGguf = ModelConverter.IsGguf(to);
        IReadOnlyList<ElementType> types = isGguf ? ConversionOptions.GgufTypes : ConversionOptions.SafetensorsTypes;
        return Enum.TryParse(name, ignoreCase: true, out ElementType type) && types.Contains(type)
            ? type
            : throw new UsageException($"--type is '{name}'; expected one of {Names(isGguf)} for {(isGguf ? "a GGUF file" : "safetensors (for GGUF, --out ends in .gguf)")}.");
    }

    private static ConversionReport Convert(string from, string to, ConversionOptions options, Action step)
    {
        int steps = 0;
        return ModelConverter.Convert(from, to, options with
        {
            Progress = new Steps(part =>
            {
                for (; steps < (int)(part * 100); steps++)
                {
                    step();
                }
            }),
        });
    }

    private static long Bytes(string path) => File.Exists(path)
        ? new FileInfo(path).Length
        : Directory.EnumerateFiles(path, "*.safetensors").Sum(file => new FileInfo(file).Length);

    /// <summary>The loss of a model on the rows, in exact arithmetic: what is compared is the weights.</summary>
    private sealed class LossMeasure(string? data, int limit, int maxLength, int threads, TextWriter error)
    {
        public async Task<EvaluationResult?> OfAsync(string path, string description, CancellationToken cancellationToken)
        {
            if (data is null)
            {
                return null;
            }

            using LoadedModel loaded = ModelArguments.Load(path, Arithmetic.Exact, threads);
            RowTokenizer tokenizer = RowTokenizer.Of(loaded);
            (_, IReadOnlyList<EvaluationRow> rows) = EvaluationRow.Read(data, limit, tokenizer);
            await using var engine = new InferenceEngine(loaded, new EngineOptions { Workers = threads });
            var evaluator = new Evaluator(engine, tokenizer, [], new EvaluationOptions(MaxTokens: 1, maxLength));
            (EvaluationResult result, _) = await Terminal.ProgressAsync(error, description, rows.Count, rowDone => evaluator.RunAsync(rows, rowDone, cancellationToken)).ConfigureAwait(false);
            return result;
        }
    }

    private sealed class Steps(Action<double> report) : IProgress<double>
    {
        public void Report(double value) => report(value);
    }
}
