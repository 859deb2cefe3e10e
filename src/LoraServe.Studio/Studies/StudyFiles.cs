using LoraServe.Compute.Files;

namespace LoraServe.Studio.Studies;

/// <summary>Writes a study's files for programs: whole or not at all.</summary>
internal static class StudyFiles
{
    public static void Write<T>(string path, T value) => AtomicFile.Write(path, stream =>
    {
        using var writer = new StreamWriter(stream, leaveOpen: true);
        writer.WriteJson(value);
    });
}
