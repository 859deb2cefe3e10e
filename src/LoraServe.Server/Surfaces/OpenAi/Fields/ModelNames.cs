using LoraServe.Serving.Requests;

namespace LoraServe.Server.Surfaces.OpenAi.Fields;

/// <summary>What <c>model</c> means: the base by its name, or what gRPC calls <c>adapter</c>, also behind the base's name.</summary>
internal static class ModelNames
{
    /// <summary>What requests call it.</summary>
    public const string Field = "model";

    private const int LongestShown = 200;

    /// <summary>The adapters that a name means; none for the base.</summary>
    /// <param name="name">The name; null where none was sent.</param>
    /// <param name="served">The base and its adapters.</param>
    /// <param name="caller">Who asks.</param>
    /// <exception cref="EngineException">There is no name, or it cannot be one of any adapter: then it is a model that does not exist, like any other.</exception>
    public static IReadOnlyList<AdapterReference> Adapters(string? name, ServedModel served, Principal caller)
    {
        if (string.IsNullOrEmpty(name))
        {
            throw FieldReading.Missing(Field);
        }

        string baseName = served.Model.Name;
        if (name == baseName)
        {
            return [];
        }

        try
        {
            IReadOnlyList<AdapterReference> stack = AdapterReference.ParseStack(name.StartsWith($"{baseName}:", StringComparison.Ordinal) ? name[(baseName.Length + 1)..] : name);
            foreach (AdapterReference part in stack)
            {
                served.Engine.Adapters.Find(caller, part.Name);
            }

            return stack.Count > 0 ? stack : throw Unknown(name, "");
        }
        catch (EngineException malformed) when (malformed.Error is EngineError.InvalidRequest or EngineError.InvalidAdapterName)
        {
            throw Unknown(name, malformed.Message);
        }
    }

    private static EngineException Unknown(string name, string why) =>
        new(EngineError.UnknownAdapter, $"The model '{(name.Length <= LongestShown ? name : name[..LongestShown] + "…")}' does not exist. {why}".TrimEnd()) { Field = Field };
}
