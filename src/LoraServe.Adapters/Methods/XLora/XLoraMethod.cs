using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods.Description;

namespace LoraServe.Adapters.Methods.XLora;

/// <summary>X-LoRA (Buehler and Buehler 2024, arXiv:2402.07148): LoRA adapters, scaled for each token by a classifier. Served only.</summary>
internal static class XLoraMethod
{
    /// <summary>The method.</summary>
    public static Method XLora { get; } = new() { Type = InnerAdapters.XLora, ReadDirectory = XLoraReader.Read };
}
