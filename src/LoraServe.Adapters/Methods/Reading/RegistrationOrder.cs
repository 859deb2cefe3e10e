using LoraServe.Adapters.Edits;

namespace LoraServe.Adapters.Methods.Reading;

/// <summary>The order in which PEFT comes upon a model's modules: that in which transformers' classes make them.</summary>
internal static class RegistrationOrder
{
    /// <summary>The modules in that order, where it is another than the base's own one.</summary>
    public static IEnumerable<BaseModule> Of(IBaseModel model) =>
        model.Modules.Select((module, place) => (Module: module, Place: place + (ComesAfterTheNext(model, module.Site.Role) ? 1.5 : 0))).OrderBy(entry => entry.Place).Select(entry => entry.Module);

    // Phi-3 makes its attention's output first; Mixtral's w1, w2 and w3 are gate, down and up.
    private static bool ComesAfterTheNext(IBaseModel model, SiteRole role) => model.Architecture switch
    {
        "phi3" => role == SiteRole.QueryKeyValue,
        "mixtral" => role == SiteRole.ExpertUp,
        _ => false,
    };
}
