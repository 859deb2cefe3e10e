using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Cli.Arguments;
using LoraServe.Cli.Mistakes;
using LoraServe.Compute.Files;
using LoraServe.Training.Data;
using LoraServe.Training.Losses;
using LoraServe.Training.Optimizers;
using LoraServe.Training.Options;
using LoraServe.Training.Ranks;
using LoraServe.Training.Ranks.Policies;

namespace LoraServe.Cli.Verbs.Train;

/// <summary>The options of <c>loraserve train</c>, over those of a settings file.</summary>
internal sealed partial class TrainingArguments
{
    private const string Automatic = "auto";
    private const string Grow = "grow";

    private static readonly JsonSerializerOptions s_settings = new(JsonSerializerDefaults.General)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    /// <summary>The options by what their settings are called in messages; those of a settings file alone have no option.</summary>
    private static readonly Dictionary<string, string> s_names = new(StringComparer.Ordinal)
    {
        ["data"] = "--data",
        ["method"] = "--method",
        ["eval file"] = "--eval",
        ["eval share"] = "--eval-share",
        ["eval interval"] = "--eval-interval",
        ["patience"] = "--patience",
        ["rank"] = "--rank",
        ["rank policy"] = "--rank auto",
        ["growth"] = "--rank grow",
        ["max rank"] = "--max-rank",
        ["gate strength"] = "--gate-strength",
        ["alpha"] = "--alpha",
        ["targets"] = "--targets",
        ["virtual tokens"] = "--virtual-tokens",
        ["loss"] = "--loss",
        ["beta"] = "--beta",
        ["label smoothing"] = "--label-smoothing",
        ["max length"] = "--max-length",
        ["steps"] = "--steps",
        ["epochs"] = "--epochs",
        ["batch tokens"] = "--batch-tokens",
        ["batch rows"] = "--batch-rows",
        ["accumulation steps"] = "--accumulate",
        ["learning rate"] = "--lr",
        ["warm-up steps"] = "--warmup",
        ["weight decay"] = "--weight-decay",
        ["max gradient norm"] = "--clip",
        ["checkpoint interval"] = "--checkpoint-interval",
        ["full score"] = "--full-score",
    };

    private readonly Option<string> _config = new("--config") { Description = "Settings as JSON: data_file, learning_rate, batch_rows and so on; a name that is none lists them all. Options given here come first.", HelpName = "FILE.json" };
    private readonly Option<string> _data = new("--data") { Description = "Rows to train on, as JSON Lines, a JSON array, in gzip, or Parquet: prompt and completion, messages, text, prompt, chosen and rejected, conversations, or instruction and output.", HelpName = "FILE" };
    private readonly Option<RowFormat?> _format = new("--format") { Description = "The form of the rows. [default: what their fields say]", HelpName = "auto|prompt|messages|sharegpt|alpaca|preference|text" };
    private readonly Option<LongRows?> _longRows = new("--long-rows") { Description = "What becomes of rows longer than --max-length or with nothing to learn; truncate refuses the latter. [default: truncate]", HelpName = "truncate|refuse|skip" };
    private readonly Option<string> _method = new("--method") { Description = "How: one of the list below, or several with commas between. [default: lora]", HelpName = "NAME" };
    private readonly Option<string> _rank = new("--rank") { Description = "Rank of low-rank updates or width of bottlenecks; auto, or the name of a policy that loraserve ranks shows: chosen for model and data; grow[:N]: grows from N when evaluations stand still. [default: the method's, 8 for lora]", HelpName = "N|auto|POLICY|grow" };
    private readonly Option<int?> _maxRank = new("--max-rank") { Description = "What a growing rank stays within. [default: 256]", HelpName = "N" };
    private readonly Option<GatePenalty?> _gatePenalty = new("--gate-penalty") { Description = "What closes the gates of method gated. [default: l1]", HelpName = "l1|hardconcrete" };
    private readonly Option<double?> _gateStrength = new("--gate-strength") { Description = "How strongly: nats a token that a term must be worth. [default: 0.0001]", HelpName = "F" };
    private readonly Option<double?> _alpha = new("--alpha") { Description = "Numerator of the update's scale. [default: twice the rank]", HelpName = "N" };
    private readonly Option<string[]> _targets = new("--targets") { Description = "Modules, such as q_proj,v_proj, or all-linear. [default: the method's]", HelpName = "A,B", AllowMultipleArgumentsPerToken = true };
    private readonly Option<double?> _rate = new("--lr") { Description = "The highest learning rate. [default: the method's]", HelpName = "F" };
    private readonly Option<LearningRateSchedule?> _schedule = new("--schedule") { Description = "How the rate falls. [default: linear]", HelpName = "linear|cosine|constant" };
    private readonly Option<int?> _warmup = new("--warmup") { Description = "Steps over which the rate rises. [default: a twentieth]", HelpName = "N" };
    private readonly Option<int?> _steps = new("--steps") { Description = "Steps to train. [default: one epoch]", HelpName = "N" };
    private readonly Option<double?> _epochs = new("--epochs") { Description = "Passes over the data.", HelpName = "N" };
    private readonly Option<int?> _batchTokens = new("--batch-tokens") { Description = "Most tokens of a batch.", HelpName = "N" };
    private readonly Option<int?> _batchRows = new("--batch-rows") { Description = "Rows of a batch. [default: 16]", HelpName = "N" };
    private readonly Option<int?> _accumulate = new("--accumulate") { Description = "Batches whose gradients make one step. [default: 1]", HelpName = "N" };
    private readonly Option<int?> _maxLength = new("--max-length") { Description = "Rows are cut on the right to this many tokens. [default: the model's context]", HelpName = "N" };
    private readonly Option<string> _initFrom = new("--init-from") { Description = "An adapter to go on from, also one made by PEFT.", HelpName = "DIR" };
    private readonly Option<bool> _baseTemplate = TemplateArguments.Create();
    private readonly Option<string> _eval = new("--eval") { Description = "Rows to evaluate on.", HelpName = "FILE.jsonl" };
    private readonly Option<double?> _evalShare = new("--eval-share") { Description = "Share of the data kept apart to evaluate on.", HelpName = "F" };
    private readonly Option<int?> _evalInterval = new("--eval-interval") { Description = "Steps from one evaluation to the next. [default: each epoch]", HelpName = "N" };
    private readonly Option<int?> _patience = new("--patience") { Description = "Evaluations without improvement after which it stops.", HelpName = "N" };
    private readonly Option<LossKind?> _loss = new("--loss") { Description = "On completions supervised; on pairs of answers dpo, orpo or kto. [default: supervised]", HelpName = "supervised|dpo|orpo|kto" };
    private readonly Option<double?> _beta = new("--beta") { Description = "Strength of dpo's and kto's reference, or of orpo's odds ratio. [default: 0.1]", HelpName = "F" };
    private readonly Option<OptimizerKind?> _optimizer = new("--optimizer") { Description = "What turns gradients into updates. [default: adamw]", HelpName = "adamw|sgd|lion|adafactor" };
    private readonly Option<double?> _decay = new("--weight-decay") { Description = "Weight decay. [default: 0]", HelpName = "F" };
    private readonly Option<double?> _clip = new("--clip") { Description = "Length that gradients are clipped to; 0 for no clipping. [default: 1]", HelpName = "F" };
    private readonly Option<double?> _smoothing = new("--label-smoothing") { Description = "Share of each label that is spread over the vocabulary. [default: 0]", HelpName = "F" };
    private readonly Option<int?> _virtualTokens = new("--virtual-tokens") { Description = "Virtual tokens of prompt methods. [default: the method's]", HelpName = "N" };
    private readonly Option<string> _promptText = new("--prompt-text") { Description = "Text whose embeddings prompt tuning begins with.", HelpName = "TEXT" };
    private readonly Option<int?> _checkpoints = new("--checkpoint-interval") { Description = "Steps from one checkpoint to the next; 0 for none. [default: 100]", HelpName = "N" };
    private readonly Option<bool> _recompute = new("--checkpoint-activations") { Description = "Compute activations again in the backward pass: less memory, a third more work." };
    private readonly Option<double?> _fullScore = new("--full-score") { Description = "Score of full fine-tuning that the report compares with.", HelpName = "F" };
    private readonly Option<int?> _seed = new("--seed") { Description = "What first values and the order of rows are drawn from. [default: 0]", HelpName = "N" };

    /// <summary>Adds the options to the verb.</summary>
    public void AddTo(Command verb)
    {
        foreach (Option option in new Option[]
        {
            _data, _format, _longRows, _method, _rank, _alpha, _targets, _rate, _steps, _epochs, _batchTokens, _batchRows, _eval, _initFrom, _baseTemplate, _seed,
            _config, _schedule, _warmup, _accumulate, _maxLength, _evalShare,
            _evalInterval, _patience, _loss, _beta, _optimizer, _decay, _clip, _smoothing, _virtualTokens, _promptText, _checkpoints, _recompute, _fullScore, _maxRank, _gatePenalty, _gateStrength,
        })
        {
            verb.Add(option);
        }
    }

    /// <summary>The settings of a run.</summary>
    /// <exception cref="UsageException">The settings file is wrong, or an option is.</exception>
    /// <exception cref="TrainingOptionsException">A setting is out of range.</exception>
    public TrainingJobOptions Read(ParseResult arguments)
    {
        TrainingJobOptions file = arguments.GetValue(_config) is { } path ? ReadFile(path) : new TrainingJobOptions();
        var options = WithRank(arguments, file) with
        {
            DataFile = arguments.GetValue(_data) ?? file.DataFile,
            Format = arguments.GetValue(_format) ?? file.Format,
            LongRows = arguments.GetValue(_longRows) ?? file.LongRows,
            Method = arguments.GetValue(_method) ?? file.Method,
            Gates = file.Gates with
            {
                Penalty = arguments.GetValue(_gatePenalty) ?? file.Gates.Penalty,
                Strength = arguments.GetValue(_gateStrength) ?? file.Gates.Strength,
            },
            Alpha = arguments.GetValue(_alpha) ?? file.Alpha,
            Targets = arguments.GetValue(_targets) is { Length: > 0 } targets ? [.. targets.SelectMany(SplitNames)] : file.Targets,
            LearningRate = arguments.GetValue(_rate) ?? file.LearningRate,
            Schedule = arguments.GetValue(_schedule) ?? file.Schedule,
            WarmupSteps = arguments.GetValue(_warmup) ?? file.WarmupSteps,
            Steps = arguments.GetValue(_steps) ?? file.Steps,
            Epochs = arguments.GetValue(_epochs) ?? file.Epochs,
            BatchTokens = arguments.GetValue(_batchTokens) ?? file.BatchTokens,
            BatchRows = arguments.GetValue(_batchRows) ?? file.BatchRows,
            AccumulationSteps = arguments.GetValue(_accumulate) ?? file.AccumulationSteps,
            MaximumLength = arguments.GetValue(_maxLength) ?? file.MaximumLength,
            InitFrom = arguments.GetValue(_initFrom) ?? file.InitFrom,
            KeepsBaseTemplate = arguments.GetValue(_baseTemplate) ? true : file.KeepsBaseTemplate,
            EvaluationFile = arguments.GetValue(_eval) ?? file.EvaluationFile,
            EvaluationShare = arguments.GetValue(_evalShare) ?? file.EvaluationShare,
            EvaluationInterval = arguments.GetValue(_evalInterval) ?? file.EvaluationInterval,
            Patience = arguments.GetValue(_patience) ?? file.Patience,
            Loss = arguments.GetValue(_loss) ?? file.Loss,
            Beta = arguments.GetValue(_beta) ?? file.Beta,
            LabelSmoothing = arguments.GetValue(_smoothing) ?? file.LabelSmoothing,
            VirtualTokens = arguments.GetValue(_virtualTokens) ?? file.VirtualTokens,
            PromptText = arguments.GetValue(_promptText) ?? file.PromptText,
            Optimizer = file.Optimizer with
            {
                Kind = arguments.GetValue(_optimizer) ?? file.Optimizer.Kind,
                WeightDecay = arguments.GetValue(_decay) ?? file.Optimizer.WeightDecay,
            },
            MaximumGradientNorm = arguments.GetValue(_clip) ?? file.MaximumGradientNorm,
            CheckpointInterval = arguments.GetValue(_checkpoints) ?? file.CheckpointInterval,
            CheckpointActivations = arguments.GetValue(_recompute) || file.CheckpointActivations,
            FullScore = arguments.GetValue(_fullScore) ?? file.FullScore,
            Seed = arguments.GetValue(_seed) ?? file.Seed,
        };
        options.Validate(name => s_names.GetValueOrDefault(name, name));
        return options;
    }

    private static string[] SplitNames(string names) => names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The settings with what is said of the rank: a number, how it is chosen, or that it grows.</summary>
    private TrainingJobOptions WithRank(ParseResult arguments, TrainingJobOptions file)
    {
        TrainingJobOptions options = arguments.GetValue(_rank) switch
        {
            null => file,
            Automatic => file with { Rank = null, ChoosesRank = true, RankPolicy = RankPolicies.Usual, Growth = null },
            Grow => file with { Rank = null, ChoosesRank = false, Growth = file.Growth ?? new RankGrowth() },
            { } name when RankPolicies.Names.Contains(name) => file with { Rank = null, ChoosesRank = true, RankPolicy = name, Growth = null },
            { } text when text.StartsWith($"{Grow}:", StringComparison.Ordinal) =>
                file with { Rank = Number(text, text[(Grow.Length + 1)..]), ChoosesRank = false, Growth = file.Growth ?? new RankGrowth() },
            { } text => file with { Rank = Number(text, text), ChoosesRank = false, Growth = null },
        };
        if (arguments.GetValue(_maxRank) is not { } most)
        {
            return options;
        }

        return options.Growth is { } growth
            ? options with { Growth = growth with { MaximumRank = most } }
            : throw new UsageException($"--max-rank bounds a rank that grows; add --rank {Grow}.");

        static int Number(string all, string number) => int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int rank)
            ? rank
            : throw new UsageException($"--rank is {all}; expected a number, {Automatic}, {string.Join(", ", RankPolicies.Names)}, or {Grow}:N.");
    }

    private static TrainingJobOptions ReadFile(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<TrainingJobOptions>(File.ReadAllBytes(path), s_settings) ?? throw new UsageException($"{path}: null; expected an object with settings.");
        }
        catch (JsonException wrong)
        {
            throw new UsageException(UnknownSetting().Match(wrong.Message) is { Success: true } unknown
                ? $"{path}, line {wrong.LineNumber + 1}: there is no setting {unknown.Groups[1].Value}; expected {string.Join(", ", Names(unknown.Groups[2].Value))}."
                : $"{path}: {JsonMistake.Describe(wrong)}.");
        }
    }

    /// <summary>The settings of the part of the options that has a type's name.</summary>
    private static IEnumerable<string> Names(string type) =>
        from setting in (new[] { typeof(OptimizerOptions), typeof(RankGrowth), typeof(GateOptions) }.FirstOrDefault(part => part.FullName == type) ?? typeof(TrainingJobOptions)).GetProperties()
        select JsonNamingPolicy.SnakeCaseLower.ConvertName(setting.Name);

    [GeneratedRegex("^The JSON property '(.*)' could not be mapped to any \\.NET member contained in type '(.*?)'")]
    private static partial Regex UnknownSetting();
}
