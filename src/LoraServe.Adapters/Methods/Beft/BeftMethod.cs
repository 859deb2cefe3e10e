using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.Beft;

/// <summary>BEFT (2025, arXiv:2509.15974).</summary>
internal static class BeftMethod
{
    /// <summary>The method.</summary>
    public static Method Beft { get; } = new()
    {
        Type = "BEFT",
        Read = BeftReader.Read,
        Train = (config, model, options) => new TrainableBeft(config, model, options),
        Variants =
        [
            new()
            {
                Name = "beft",
                Kind = MethodKind.Vector,
                Description = "summands of the values' outputs",
                Paper = "2509.15974",
                LearningRate = 2e-3,
                Targets = ["v_proj"],
                Configuration = settings => settings.Config(new() { ["target_modules"] = settings.TargetList() }),
            },
        ],
    };
}
