using System.Text.Json.Nodes;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Methods.Description;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Ia3;

/// <summary>(IA)³ (Liu et al. 2022, arXiv:2205.05638).</summary>
internal static class Ia3Method
{
    /// <summary>The method.</summary>
    public static Method Ia3 { get; } = new()
    {
        Type = "IA3",
        Read = Ia3Reader.Read,
        Train = (config, model, _) => new TrainableIa3(config, model),
        Variants =
        [
            new()
            {
                Name = "ia3",
                Kind = MethodKind.Vector,
                Description = "factors of keys, values and the MLP's inner activations",
                Paper = "2205.05638",
                LearningRate = 8e-3,
                Targets = ["k_proj", "v_proj", "down_proj"],
                Configuration = Configure,
            },
        ],
    };

    private static JsonObject Configure(VariantSettings settings)
    {
        string[] feedForward =
        [
            .. settings.Targets().Where(name => settings.Model.Modules.Any(module => module.Site.Role is SiteRole.Down or SiteRole.ExpertDown && ModuleFilter.HasName(module.Path, name))),
        ];
        return settings.Config(new()
        {
            ["feedforward_modules"] = VariantSettings.List(feedForward),
            ["target_modules"] = settings.TargetList(),
        });
    }
}
