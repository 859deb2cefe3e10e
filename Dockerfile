# syntax=docker/dockerfile:1

# The steps below are those of .ci/run, less the tests.
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY . .
RUN dotnet restore LoraServe.sln
RUN dotnet build LoraServe.sln -c Release --no-restore -v minimal
RUN dotnet publish src/LoraServe.Cli -c Release --no-build -o /app

FROM mcr.microsoft.com/dotnet/aspnet:10.0
WORKDIR /app
COPY --from=build /app .
RUN mkdir -p /models /adapters && chown "$APP_UID" /adapters
USER $APP_UID
EXPOSE 8080 8081
VOLUME ["/models", "/adapters"]
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD ["dotnet", "loraserve.dll", "health", "--address", "http://localhost:8080"]
ENTRYPOINT ["dotnet", "loraserve.dll"]
CMD ["serve", "--model", "/models", "--adapter-root", "/adapters", "--host", "0.0.0.0", "--port", "8080"]
