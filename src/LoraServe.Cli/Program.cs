using LoraServe.Cli;

return await LoraServeCommand.RunAsync(args, Console.Out, Console.Error).ConfigureAwait(false);
