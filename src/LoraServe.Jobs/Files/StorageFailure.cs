using LoraServe.Serving.Requests;

namespace LoraServe.Jobs.Files;

/// <summary>What callers are told when the state folder cannot be written: no paths of the machine, and that nothing happened.</summary>
internal static class StorageFailure
{
    /// <summary>Whether a failure is the disk's, and not a fault of the program.</summary>
    public static bool Is(Exception failure) => failure is IOException or UnauthorizedAccessException;

    /// <summary>The refusal of a call.</summary>
    public static EngineException Refusal(Exception failure) =>
        new(EngineError.StorageFailed, "The server cannot write its training folder now; its log says why. Nothing was changed: try again later, or ask its operator to make room.", failure);
}
