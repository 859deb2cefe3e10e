namespace LoraServe.Server.Surfaces.Grpc.Training;

/// <summary>Optional fields of messages: one that is assigned is present, whatever the value.</summary>
internal static class Optional
{
    /// <summary>Assigns a field what is known, and leaves it absent where nothing is.</summary>
    public static void Set<T>(T? value, Action<T> assign)
        where T : struct
    {
        if (value is { } known)
        {
            assign(known);
        }
    }
}
