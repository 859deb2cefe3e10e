namespace LoraServe.Adapters.Methods;

/// <summary>Methods of PEFT that are known and not read, and why.</summary>
internal static class UnreadMethods
{
    private static readonly Dictionary<string, string> s_reasons = new(StringComparer.Ordinal)
    {
        ["ADAMSS"] = "which outputs belong to which subspace is found by clustering the base's singular vectors when it is loaded and is not in the file, so that another library finds others. Merge it with PEFT and serve the merged model",
        ["BONE"] = "PEFT replaced it with MISS. Convert the file with PEFT's scripts/convert-bone-to-miss.py",
        ["FROD"] = "its frame is a matrix of all inputs by all inputs that would have to be inverted for every module, and its change is a whole matrix. Merge it with PEFT and serve the merged model",
        ["LILY"] = "its experts are mixed by weights that are averaged over all tokens of a batch, so that an answer would depend on whose else is in it. Train LORA in its place",
        ["OSF"] = "it keeps all but the greatest singular values of every weight anew, a file nearly as large as the model, and needs the whole decomposition to be found again. Merge it with PEFT and serve the merged model, or train LORA in its place",
        ["POLY"] = "it is a mixture of skills that every call chooses by a task. Save the task's mixture as LORA",
        ["PSOFT"] = "it turns singular vectors of the base whose signs are not in the file and differ between libraries. Convert it to LORA with PEFT (convert_to_lora), or merge it",
    };

    /// <summary>Why adapters of a type are not read, and what to do instead; null for a type that nobody knows.</summary>
    public static string? Reason(string type) => s_reasons.GetValueOrDefault(type);
}
