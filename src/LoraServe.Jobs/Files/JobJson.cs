using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using LoraServe.Adapters.Methods.Training;
using LoraServe.Jobs.Records;
using LoraServe.Training.Losses;
using LoraServe.Training.Optimizers;
using LoraServe.Training.Reports;

namespace LoraServe.Jobs.Files;

/// <summary>How <c>job.json</c> is spelled: as protobuf's JSON of the wire contract's job, in which the first servers wrote it, so that every server reads every other's.</summary>
/// <remarks>In that JSON large whole numbers and numbers that are not finite are texts, and what has its usual value is left out.</remarks>
internal static class JobJson
{
    /// <summary>Reads and writes files.</summary>
    public static JsonTypeInfo<JobFile> File { get; } = (JsonTypeInfo<JobFile>)new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowReadingFromString | JsonNumberHandling.AllowNamedFloatingPointLiterals,
        RespectNullableAnnotations = true,

        // By reflection: generated source gives a property that a file leaves out null or zero, and not its usual value.
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { RenameStep } },
        Converters =
        {
            new JsonStringEnumConverter<JobStatus>(namingPolicy: null, allowIntegerValues: false),
            Names<LossKind>("TRAINING_LOSS_", ("Supervised", "SFT")),
            Names<LearningRateSchedule>("LR_SCHEDULER_"),
            Names<OptimizerKind>("OPTIMIZER_TYPE_"),
            Names<GatePenalty>("GATE_PENALTY_", ("HardConcrete", "HARD_CONCRETE")),
        },
    }.GetTypeInfo(typeof(JobFile));

    private static JsonStringEnumConverter<TEnum> Names<TEnum>(string prefix, params (string Name, string Spelling)[] others)
        where TEnum : struct, Enum => new(new WireNames(prefix, others.ToDictionary()), allowIntegerValues: false);

    /// <summary>A step has other names in <c>metrics.jsonl</c>.</summary>
    private static void RenameStep(JsonTypeInfo type)
    {
        foreach (JsonPropertyInfo property in type.Type == typeof(TrainingProgress) ? type.Properties : [])
        {
            property.IsRequired = false;
            property.Name = property.Name switch
            {
                "grad_norm" => "gradNorm",
                "tokens_per_s" => "tokensPerSecond",
                "eval_loss" => "evalLoss",
                "eval_score" => "evalScore",
                "time" => "at",
                string same => same,
            };
        }
    }

    private sealed class WireNames(string prefix, Dictionary<string, string> others) : JsonNamingPolicy
    {
        public override string ConvertName(string name) => prefix + others.GetValueOrDefault(name, name.ToUpperInvariant());
    }
}
