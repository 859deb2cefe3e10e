namespace LoraServe.Studio.Studies;

/// <summary>A run of which nothing came; the next time that the study is started it is tried again.</summary>
/// <param name="Task">The task's name.</param>
/// <param name="Method">The method and its size.</param>
/// <param name="Reason">Why, in a line.</param>
public sealed record StudyFailure(string Task, string Method, string Reason);
