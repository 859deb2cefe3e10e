using System.Text.Json;
using System.Text.Json.Nodes;
using LoraServe.Adapters;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Peft;

namespace LoraServe.Training.Methods;

/// <summary>The methods by the names that users give, and what a job's settings make of them.</summary>
/// <remarks>
/// Several names with <c>,</c> or <c>+</c> between them are adapters trained as one: <c>lora,prompt</c>. Each has a folder of its
/// name in the result, in the adapter to go on from, and in the job's <see cref="TrainingJobOptions.PeftConfig"/>.
/// </remarks>
public static class MethodCatalog
{
    private const int SeedsPerPart = 1_000_003;

    private static readonly Dictionary<string, string> s_otherNames = new(StringComparer.Ordinal)
    {
        ["lora+"] = "loraplus",
        ["prompt-tuning"] = "prompt",
        ["prefix-tuning"] = "prefix",
        ["p-tuning-v2"] = "prefix",
        ["ln-tuning"] = "ln",
    };

    /// <summary>All methods.</summary>
    public static IReadOnlyList<TrainingMethod> All => MethodTable.Methods;

    /// <summary>The methods of a job: one, or several that are trained as one.</summary>
    /// <param name="name">A method's name, or several.</param>
    /// <exception cref="TrainingOptionsException">There is no such method, or one is named twice.</exception>
    public static IReadOnlyList<TrainingMethod> Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        string[] names = s_otherNames.TryGetValue(name, out string? usual) ? [usual] : name.Split([',', '+'], StringSplitOptions.TrimEntries);
        TrainingMethod[] methods = [.. names.Select(FindOne)];
        if (methods.Distinct().Count() != methods.Length)
        {
            throw new TrainingOptionsException($"method is {name}; expected each method once.");
        }

        if (methods.Length > 1 && methods.Any(method => method.MakesModel))
        {
            throw new TrainingOptionsException($"method is {name}; full fine-tuning leaves nothing for another method to train.");
        }

        return methods;
    }

    /// <summary>The highest learning rate of a job. Of methods trained as one it is the first's, and the others keep their usual proportion to it.</summary>
    /// <exception cref="TrainingOptionsException">There is no such method.</exception>
    public static double LearningRate(TrainingJobOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.LearningRate ?? Find(options.Method)[0].LearningRate;
    }

    /// <summary>Refuses, without taking long, what <see cref="Create(TrainingJobOptions, TrainableContext)"/> would refuse by settings and files' configurations.</summary>
    /// <param name="options">The job.</param>
    /// <param name="context">The base, and what else is to be known.</param>
    /// <exception cref="TrainingOptionsException">A setting does not fit the method or the base, or the adapter to go on from is of another method.</exception>
    public static void Check(TrainingJobOptions options, TrainableContext context)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(context);
        _ = Named(options, () => Parts(options).Select(part => ConfigOf(part, options, context)).ToArray());
    }

    /// <summary>Makes what a job trains, at its first values or those of the adapter that it goes on from.</summary>
    /// <param name="options">The job.</param>
    /// <param name="context">The base, and what else is to be known.</param>
    /// <exception cref="TrainingOptionsException">A setting does not fit the method or the base, or the adapter to go on from does not.</exception>
    public static TrainableAdapter Create(TrainingJobOptions options, TrainableContext context)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(context);
        return Named(options, () =>
        {
            Part[] parts = [.. Parts(options)];
            TrainableAdapter[] adapters = [.. parts.Select(part => Create(part, options, context))];
            if (parts.Length == 1)
            {
                return adapters[0];
            }

            foreach ((Part part, TrainableAdapter adapter) in parts.Zip(adapters))
            {
                foreach (Parameter parameter in adapter.Parameters)
                {
                    parameter.RateFactor *= (float)(part.Method.LearningRate / parts[0].Method.LearningRate);
                }
            }

            return new CombinedAdapter(context.Model, [.. parts.Zip(adapters, (part, adapter) => (part.Method.Name, adapter))]);
        });
    }

    /// <summary>Does something, and says of which method a refusal is.</summary>
    private static T Named<T>(TrainingJobOptions options, Func<T> make)
    {
        try
        {
            return make();
        }
        catch (AdapterFormatException wrong)
        {
            throw new TrainingOptionsException($"method {options.Method}: {wrong.Message}");
        }
    }

    private static IEnumerable<Part> Parts(TrainingJobOptions options)
    {
        IReadOnlyList<TrainingMethod> methods = Find(options.Method);
        return methods.Count == 1
            ? [new Part(methods[0], options.PeftConfig, options.InitFrom, options.Seed)]
            : methods.Select((method, index) => new Part(
                method,
                options.PeftConfig?[method.Name] as JsonObject,
                options.InitFrom is { } folder ? Path.Combine(folder, method.Name) : null,
                options.Seed + (index * SeedsPerPart)));
    }

    private static TrainingMethod FindOne(string name)
    {
        string usual = s_otherNames.GetValueOrDefault(name, name);
        return All.FirstOrDefault(method => method.Name == usual)
            ?? throw new TrainingOptionsException($"method is {name}; expected {string.Join(", ", All.Select(method => method.Name))}, or several with commas between them.");
    }

    private static TrainableAdapter Create(Part part, TrainingJobOptions options, TrainableContext context)
    {
        if (part.PeftConfig?.FirstOrDefault(entry => entry.Key.EndsWith("dropout", StringComparison.Ordinal) && entry.Value?.ToJsonString() is not ("0" or "0.0")) is { Key: { } dropout })
        {
            throw new TrainingOptionsException($"{dropout} is set; training has no dropout. Leave it out.");
        }

        JsonObject config = ConfigOf(part, options, context);
        TrainableAdapter adapter = part.Method.Create(config, context.Model, new TrainableOptions
        {
            Seed = part.Seed,
            RateRatioOfB = (float)(options.RateRatioOfB ?? part.Method.RateRatioOfB),
            DrawsNormally = config["init_lora_weights"]?.ToString() == "gaussian",
            PromptTokens = PromptTokens(options, context),
            Gates = options.Gates,
        });
        if (part.InitFrom is not null)
        {
            adapter.Load(part.InitFrom);
        }

        return adapter;
    }

    private static JsonObject ConfigOf(Part part, TrainingJobOptions options, TrainableContext context)
    {
        JsonObject config = part.Method.Configure(new MethodSettings(part.Method, options, context, part.PeftConfig));
        return part.InitFrom is null || part.Method.MakesModel ? config : ConfigOf(part.InitFrom, config, options);
    }

    /// <summary>The configuration of the adapter to go on from, where it is of the same method; of LoRA, with the rank and alpha that are wanted.</summary>
    private static JsonObject ConfigOf(string directory, JsonObject expected, TrainingJobOptions options)
    {
        AdapterFiles files = AdapterFiles.ReadDirectory(directory, new AdapterLimits());
        using JsonDocument document = PeftConfig.Parse(files);
        string type = PeftConfig.Type(PeftConfig.Fields(files, document));
        string usual = PeftConfig.Type(PeftConfig.Fields(expected));
        if (type != usual)
        {
            throw new AdapterFormatException(
                $"{files.ConfigPath}: peft_type is {type}; expected {usual}, as the method has. Name the adapter's own method, or begin with a new one.");
        }

        var config = JsonObject.Create(document.RootElement.Clone())!;
        bool changesRank = type == PeftConfig.Lora && options.Rank is { } rank && PeftConfig.Fields(config).Integer("r", 1) != rank;
        if (type == PeftConfig.Lora && (changesRank || options.Alpha is not null))
        {
            (config["r"], config["lora_alpha"]) = (changesRank ? JsonValue.Create(options.Rank) : config["r"]?.DeepClone(), expected["lora_alpha"]!.DeepClone());
            (config["rank_pattern"], config["alpha_pattern"]) = (expected["rank_pattern"]?.DeepClone(), expected["alpha_pattern"]?.DeepClone());
        }

        return config;
    }

    private static int[] PromptTokens(TrainingJobOptions options, TrainableContext context)
    {
        if (options.PromptText is not { Length: > 0 } text)
        {
            return [];
        }

        return context.Tokenize is { } tokenize
            ? [.. tokenize(text)]
            : throw new TrainingOptionsException("there is a prompt text, and the model has no tokenizer to read it with; leave it out.");
    }

    /// <summary>One of the methods of a job.</summary>
    /// <param name="Method">The method.</param>
    /// <param name="PeftConfig">Fields of its configuration that the job gives.</param>
    /// <param name="InitFrom">Folder of the adapter that it goes on from; null for none.</param>
    /// <param name="Seed">What its first values are drawn from.</param>
    private sealed record Part(TrainingMethod Method, JsonObject? PeftConfig, string? InitFrom, int Seed);
}
